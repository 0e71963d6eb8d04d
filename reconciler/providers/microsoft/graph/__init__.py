"""Microsoft Graph: the directory that knows the people of a customer, their licences, domains and rights."""
