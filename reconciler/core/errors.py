"""Everything that can go wrong, as one tree; whoever catches needs to know nothing else.

ReconcilerError            message, hint; two lines; anything else is a bug and shows its trace
├── ManifestError          file:line:column, code, what is wrong, what to do
├── WorkspaceError         the run cannot be made: no workspace, no journal, no credentials
├── GuardError             number, limit, how to lift it once
├── StalePlanError         the plan is not the one that was approved, or was applied already
├── LeaseHeldError         somebody else applies this tenant now
├── LeaseLostError         we no longer hold what we held: do nothing more
├── JournalError           the journal cannot be read or written
└── ProviderError
    ├── Rejected           no; nothing changed        └── Missing
    ├── Unavailable        not accepted; trying again is safe
    └── Uncertain          may have happened; look first
"""

from __future__ import annotations

NOT_YET = "not-yet"
"""The code of an `Unavailable` that passes by itself: what was done a moment ago, elsewhere, does not show yet."""


class ReconcilerError(Exception):
    """What happened, to what, and in `hint` what to do next."""

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code


class ManifestError(ReconcilerError):
    """A file of the user that cannot be used as written; the message opens with file:line:column."""


class WorkspaceError(ReconcilerError):
    """The run cannot be made: the workspace, its credentials or its selection are not usable."""


class UsageError(ReconcilerError):
    """The command line asks for what does not go together."""


class GuardError(ReconcilerError):
    """A limit of the policy is exceeded; nothing was sent."""


class StalePlanError(ReconcilerError):
    """The plan at apply time is not the one that was approved, or it was applied before."""


class LeaseHeldError(ReconcilerError):
    """Somebody else applies this tenant now."""


class LeaseLostError(ReconcilerError):
    """The lease ran out or was taken over; whoever sees this does nothing more."""


class JournalError(ReconcilerError):
    """The journal cannot be opened, read or written."""


class ProviderError(ReconcilerError):
    """The provider's answer, or its absence, kept us from knowing or doing something.

    `retry_after` is the number of seconds the provider asked us to wait, when it did.
    """

    def __init__(
        self, message: str, *, hint: str = "", code: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.retry_after = retry_after


class Rejected(ProviderError):  # noqa: N818 - the three outcomes are adjectives in every document
    """The provider said no; nothing changed."""


class Missing(Rejected):
    """The provider said that this object does not exist."""


class Taken(Rejected):
    """The provider said that somebody holds this login already."""


class Unavailable(ProviderError):  # noqa: N818 - see Rejected
    """Not accepted, or not readable now; trying again is safe."""


class Uncertain(ProviderError):  # noqa: N818 - see Rejected
    """The call may have taken effect; look before doing anything else."""
