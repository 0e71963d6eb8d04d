"""`/license/officePrepaid`: seats that are bought ahead, each a service of its own."""
