"""What the workspace says of an account, as its connection takes it."""

from datetime import timedelta

import pytest

from reconciler.cli.opening import SANDBOX_POLL, SOONEST, settings_of
from reconciler.core.workspace import MicrosoftAccount, OvhAccount


@pytest.mark.parametrize("written", [0.0, 0.001, SOONEST, 0.5, 30.0])
def test_nobody_is_asked_again_at_once(written: float) -> None:
    poll = timedelta(seconds=written)
    real = OvhAccount(api="ovh", endpoint="ovh-eu", poll=poll)
    sandbox = MicrosoftAccount(api="microsoft", endpoint="sandbox", poll=poll)

    assert settings_of(real).poll == max(written, SOONEST)
    assert settings_of(sandbox).poll == min(max(written, SOONEST), SANDBOX_POLL)
