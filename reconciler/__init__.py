"""GitOps for Microsoft 365 licences: plan and apply licence groups, seats and people from YAML in git."""

__version__ = "0.1.0"
