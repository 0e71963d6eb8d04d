"""What the three licence families do, and when."""

import pytest

from reconciler.sandbox.world import World
from tests.sandbox.makers import ACME, GROUP, RESELLER, SMALL, Api, Clock

JANE = f"/license/office/{GROUP}/user/jane.doe@{GROUP}"
FULL = f"/license/officePrepaid/{ACME}-1001"
EMPTY = f"/license/officePrepaid/{ACME}-1002"
SUBSCRIPTION = f"/saas/csp2/{RESELLER}/subscription"


def whats(world: World) -> list[str]:
    return [entry["what"] for entry in world.ledger()]


def test_a_new_user_is_creating_until_its_task_is_done(api: Api, clock: Clock, world: World) -> None:
    task = api.post(f"/license/office/{GROUP}/user", domain=GROUP, login="new", licence="officeBusiness").body

    path = f"/license/office/{GROUP}/user/new@{GROUP}"
    before = api.get(path).body
    clock.sleep(1)
    after = api.get(path).body

    assert (before["status"], before["taskPendingId"]) == ("creating", task["id"])
    assert (after["status"], after["taskPendingId"]) == ("ok", 0)
    assert whats(world) == ["user-created"]


def test_a_task_goes_from_todo_over_doing_to_done(api: Api, clock: Clock) -> None:
    number = api.delete(JANE).body["id"]
    path = f"/license/office/{GROUP}/pendingTask/{number}"

    states = []
    for _ in range(3):
        states.append(api.get(path).body["status"])
        clock.sleep(0.5)

    assert states == ["todo", "doing", "done"]
    assert api.get(f"/license/office/{GROUP}/pendingTask").body == []


@pytest.mark.parametrize(
    ("kept", "listed", "status"), [("gone", 0, 404), ("listed", 1, 200), ("readable", 0, 200)]
)
def test_finished_tasks_stay_or_go_as_set(
    api: Api, clock: Clock, world: World, kept: str, listed: int, status: int
) -> None:
    world.set("finished_tasks", kept)
    number = api.delete(JANE).body["id"]
    clock.sleep(1)

    assert len(api.get(f"/license/office/{GROUP}/pendingTask").body) == listed
    assert api.get(f"/license/office/{GROUP}/pendingTask/{number}").status == status


def test_a_rename_changes_the_key(api: Api, clock: Clock) -> None:
    api.put(JANE, activationEmail=f"jane.roe@{GROUP}", lastName="Roe")
    clock.sleep(1)

    assert api.get(JANE).status == 404
    assert api.get(f"/license/office/{GROUP}/user/jane.roe@{GROUP}").body["lastName"] == "Roe"


def test_logins_are_one_whatever_their_case(api: Api) -> None:
    assert api.get(JANE.replace("jane.doe", "JANE.Doe")).status == 200
    assert api.post(f"/license/office/{GROUP}/user", domain=GROUP, login="Jane.DOE").status == 409


def test_a_login_that_another_seat_is_about_to_get_is_taken(api: Api) -> None:
    api.put(EMPTY, activationEmail=f"john@{ACME}", firstName="J", lastName="R")

    refused = api.put(EMPTY.replace("1002", "1003"), activationEmail=f"John@{ACME}")

    assert (refused.status, refused.body["class"]) == (409, "Client::Conflict")


def test_a_name_with_an_apostrophe_is_found(api: Api) -> None:
    assert api.get(f"/license/office/{GROUP}/user/o'hara@{GROUP}").body["licences"] == ["officeProPlus"]


def test_a_user_of_a_strange_domain_is_refused(api: Api) -> None:
    assert api.post(f"/license/office/{GROUP}/user", domain="elsewhere.example", login="new").status == 400


def test_the_business_licence_beyond_the_limit_is_refused(api: Api, world: World) -> None:
    world.set("business_limit", "1")
    users = f"/license/office/{GROUP}/user"

    assert api.post(users, domain=GROUP, login="new", licence="officeBusiness").status == 400
    assert api.post(users, domain=GROUP, login="new", licence="officeProPlus").status == 200


def test_a_deleted_user_is_gone_after_its_task(api: Api, clock: Clock, world: World) -> None:
    api.delete(JANE)
    before = api.get(JANE).body["status"]
    clock.sleep(1)

    assert before == "deleting"
    assert api.get(JANE).status == 404
    assert whats(world) == ["user-deleted"]


def test_an_empty_seat_says_configureme_until_its_task_is_done(api: Api, clock: Clock, world: World) -> None:
    answer = api.put(
        EMPTY, activationEmail=f"john@{ACME}", firstName="John", lastName="Roe", usageLocation="lt"
    )
    before = api.get(EMPTY).body
    clock.sleep(1)
    after = api.get(EMPTY).body

    assert answer.body is None
    assert (before["firstName"], before["isVirtual"], before["status"]) == ("configureme", True, "ok")
    assert before["taskPendingId"] > 0
    assert (after["activationEmail"], after["isVirtual"], after["usageLocation"]) == (
        f"john@{ACME}",
        False,
        "lt",
    )
    assert whats(world) == ["seat-configured"]


def test_an_unconfigured_seat_is_empty_again_and_still_there(api: Api, clock: Clock, world: World) -> None:
    api.post(FULL + "/unconfigure")
    clock.sleep(1)

    seat = api.get(FULL).body
    assert (seat["isVirtual"], seat["activationEmail"]) == (True, f"1001@{ACME}")
    assert whats(world) == ["seat-unconfigured"]


def test_an_empty_seat_cannot_be_unconfigured(api: Api) -> None:
    assert api.post(EMPTY + "/unconfigure").status == 400


@pytest.mark.parametrize(("busy", "status"), [("forbidden", 403), ("conflict", 409), ("off", 200)])
def test_a_write_while_a_task_is_pending_is_answered_as_set(
    api: Api, world: World, busy: str, status: int
) -> None:
    world.set("busy", busy)
    api.put(EMPTY, activationEmail=f"john@{ACME}", firstName="John")

    answer = api.put(EMPTY, firstName="Johnny")

    assert answer.status == status
    if busy == "forbidden":
        assert answer.body["class"] == "Client::Forbidden::Busy"


def test_an_unknown_field_is_refused_by_its_name(api: Api) -> None:
    answer = api.put(EMPTY, activationEmail=f"john@{ACME}", licences=["officeBusiness"])

    assert answer.status == 400
    assert answer.body["class"] == "Client::BadRequest"
    assert "'licences' was unexpected" in answer.body["message"]


@pytest.mark.parametrize("country", ["FR", "xx", 33])
def test_a_country_the_api_does_not_know_is_refused(api: Api, country: object) -> None:
    assert api.put(EMPTY, usageLocation=country).status == 400


def test_a_subscription_appears_while_its_task_runs(api: Api, clock: Clock, world: World) -> None:
    before = api.get(SUBSCRIPTION).body
    task = api.post(SUBSCRIPTION, licenseId=16, quantity=3).body
    at_once = api.get(SUBSCRIPTION).body
    clock.sleep(0.5)
    new = [number for number in api.get(SUBSCRIPTION).body if number not in before]
    begun = api.get(f"{SUBSCRIPTION}/{new[0]}").body
    clock.sleep(0.5)

    assert at_once == before
    assert (begun["status"], begun["taskPendingId"]) == ("creating", task["id"])
    done = api.get(f"{SUBSCRIPTION}/{new[0]}").body
    assert (done["status"], done["quantity"], done["taskPendingId"]) == ("ok", 3, 0)
    assert whats(world) == ["subscription-created"]


def test_a_quantity_changes_with_its_task(api: Api, clock: Clock, world: World) -> None:
    number = api.get(SUBSCRIPTION).body[0]
    api.post(f"{SUBSCRIPTION}/{number}/changeQuantity", quantity=15)
    before = api.get(f"{SUBSCRIPTION}/{number}").body["quantity"]
    clock.sleep(1)

    assert (before, api.get(f"{SUBSCRIPTION}/{number}").body["quantity"]) == (12, 15)
    assert world.ledger()[0]["before"] == 12


@pytest.mark.parametrize(
    ("licence", "quantity"), [(14, 301), (14, 0), (99, 1), (20, 1), (19, 1), (14, "3"), (14, True)]
)
def test_what_cannot_be_bought_is_refused(api: Api, licence: int, quantity: object) -> None:
    assert api.post(SUBSCRIPTION, licenseId=licence, quantity=quantity).status == 400


def test_a_cancelled_subscription_goes_with_its_addons(api: Api, clock: Clock) -> None:
    number = api.get(SUBSCRIPTION).body[0]
    api.post(f"{SUBSCRIPTION}/{number}/orderAddon", licenseId=19, quantity=2)
    clock.sleep(1)
    addons = api.get(f"{SUBSCRIPTION}/{number}/addonsSubscriptionIds").body

    api.delete(f"{SUBSCRIPTION}/{number}")
    clock.sleep(1)

    assert len(addons) == 1
    assert api.get(SUBSCRIPTION).body == []


def test_usage_tells_peak_and_end_of_each_day(api: Api, clock: Clock) -> None:
    api.delete(JANE)
    clock.sleep(2 * 24 * 3600)

    days = api.get(f"/license/office/{GROUP}/usageStatistics").body

    lines = {line["licenceType"]: line for line in days[-3]["lines"]}
    assert [day["date"] for day in days[-3:]] == ["2026-03-15", "2026-03-16", "2026-03-17"]
    assert (lines["officeBusiness"]["peakCount"], lines["officeBusiness"]["endOfDayCount"]) == (1, 0)
    assert {line["licenceType"]: line["endOfDayCount"] for line in days[-1]["lines"]}["officeProPlus"] == 1


def test_a_seat_that_is_told_to_end_goes_at_its_expiration(api: Api, clock: Clock, world: World) -> None:
    infos = api.get(EMPTY + "/serviceInfos").body
    infos["renew"]["deleteAtExpiration"] = True
    api.put(EMPTY + "/serviceInfos", **infos)

    clock.sleep(31 * 24 * 3600)

    assert infos["expiration"] == "2026-04-15"
    assert api.get("/license/officePrepaid").body == [f"{ACME}-1001", f"{ACME}-1003"]
    assert api.get(EMPTY).status == 404
    assert api.get(FULL + "/serviceInfos").body["expiration"] == "2026-05-15"
    assert "seat-ended" in whats(world)


def test_an_ending_that_was_taken_back_does_not_happen(api: Api, clock: Clock) -> None:
    number = api.get("/services", resourceName=f"{ACME}-1002").body[0]
    api.put(f"/services/{number}", terminationPolicy="terminateAtExpirationDate")
    ending = api.get(EMPTY + "/serviceInfos").body["renew"]["deleteAtExpiration"]
    api.put(f"/services/{number}", terminationPolicy="empty")

    clock.sleep(31 * 24 * 3600)

    assert ending
    assert api.get(EMPTY).status == 200


def test_a_service_that_nobody_renews_is_expired(api: Api, clock: Clock) -> None:
    infos = api.get(EMPTY + "/serviceInfos").body
    infos["renew"]["automatic"] = False
    api.put(EMPTY + "/serviceInfos", **infos)

    clock.sleep(31 * 24 * 3600)

    assert (api.get(EMPTY).status, api.get(EMPTY).body) == (460, {"message": "This Service is expired"})


def test_an_ending_asked_for_needs_the_token_of_the_mail(api: Api, clock: Clock) -> None:
    api.post(FULL + "/terminate")
    early = api.get("/me/notification/email/history").body
    clock.sleep(5)
    mail = api.get(f"/me/notification/email/history/{api.get('/me/notification/email/history').body[0]}").body

    wrong = api.post(FULL + "/confirmTermination", token="guessed")
    right = api.post(FULL + "/confirmTermination", token=mail["body"].split("token=")[1])

    assert early == []
    assert (wrong.status, right.status) == (400, 200)
    assert api.get(FULL + "/serviceInfos").body["renew"]["deleteAtExpiration"]


def test_months_end_on_the_last_day_of_a_shorter_one(api: Api, clock: Clock, world: World) -> None:
    seats = [{"licence": "business", "empty": 1, "expiration": "2026-03-31"}]
    world.load({"prepaid": [{"service": "late.o365.ovh.com", "seats": seats}]})

    clock.sleep(17 * 24 * 3600)

    assert (
        api.get("/license/officePrepaid/late.o365.ovh.com-1001/serviceInfos").body["expiration"]
        == "2026-04-30"
    )


def test_a_world_with_an_unknown_word_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="payg2"):
        world.load({"payg2": SMALL["payg"]})
