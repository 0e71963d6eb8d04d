"""`/license/office`: pay-as-you-go groups, in which every person is one licence."""
