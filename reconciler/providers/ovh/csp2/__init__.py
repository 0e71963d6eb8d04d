"""`/saas/csp2`: reseller tenants, whose subscriptions are bought and changed directly and know no people."""
