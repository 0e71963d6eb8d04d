"""Partner Center: customers, what they buy through the partner, and how it goes on at the end of its term."""
