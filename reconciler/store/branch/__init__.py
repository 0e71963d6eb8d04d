"""The journal on a branch of a git repository: every event is a commit that was pushed."""
