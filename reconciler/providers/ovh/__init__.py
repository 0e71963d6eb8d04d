"""OVHcloud: three Office product families behind one signed API."""
