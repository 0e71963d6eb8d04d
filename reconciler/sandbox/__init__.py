"""The local provider: a faithful, turnable, misbehaving stand-in for the real APIs."""
