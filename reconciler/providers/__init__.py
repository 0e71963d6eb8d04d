"""Who sells or keeps the licences: adapters that translate and decide nothing."""
