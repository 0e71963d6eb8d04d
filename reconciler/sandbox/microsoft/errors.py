"""How the Microsoft surfaces refuse: three shapes at Partner Center, one at Graph, one where tokens come from."""

from collections.abc import Mapping

from reconciler.sandbox.call import ApiError

# Descriptions in our own words where the documentation has a placeholder.
TEXTS: Mapping[int, tuple[int, str]] = {
    1000: (404, "Not found"),
    2001: (
        400,
        "Subscription quantity can't be increased or decreased while subscription is being suspended",
    ),
    2002: (400, "Subscription quantity isn't within minimum and maximum allowed quantity"),
    2011: (400, "A subscription with deleted status can't be updated"),
    2054: (400, "The billing cycle of an existing subscription can't be updated with this operation"),
    2055: (400, "Etag is no longer valid"),
    3000: (400, "Invalid property"),
    13605: (403, "The customer has not accepted the Microsoft Customer Agreement"),
    20000: (404, "Order ID not found"),
    20002: (403, "The partner has no commerce relationship with the customer"),
    20003: (404, "Subscription not found"),
    60012: (400, "There are no licenses of this SKU left to assign"),
    400013: (404, "Product wasn't found"),
    400018: (404, "SKU wasn't found"),
    400019: (404, "Availability not found"),
    600002: (400, "Organization registration ID value isn't supported"),
    600009: (404, "Customer not found"),
    600049: (400, "Organization registration ID information is missing"),
    600050: (400, "Organization registration ID information is invalid"),
    600051: (400, "Customer phone number is missing"),
    600061: (400, "A partner confirmed agreement already exists for the customer."),
    600074: (404, "Validation status not found"),
    800002: (400, "Invalid request input"),
    800008: (404, "Unable to retrieve cart ID"),
    800009: (400, "Error in Cart item(s)"),
    800060: (409, "Your order is in progress. Check your order history for recent orders in few minutes"),
    800064: (409, "The cart is being processed by another request"),
    800065: (400, "Can't check out an already submitted cart"),
    800067: (403, "The desired seat count exceeded the maximum seat count allowed per subscription"),
    800073: (403, "Your customer account is currently under review. Check back in few days"),
    800075: (403, "Your customer account wasn't approved. Transactions for this customer aren't allowed"),
    800082: (409, "Subscription is not ready to be updated. Try again after sometime"),
    800090: (400, "Subscription quantity cannot be decreased."),
    800091: (400, "Can't update a subscription with suspended status"),
    800107: (400, "Term changes are not supported for trial offers"),
    800121: (400, "The term duration provided is invalid"),
    800122: (400, "The target term duration cannot be shorter than the current term duration"),
    900118: (400, "Invalid Customer ID"),
    900126: (400, "Unable to parse enum"),
    900213: (400, "You have passed your 168-hour cancellation window. We are unable to cancel your purchase"),
    900278: (409, "There is a pending operation on this subscription. Please try again after 24 hours."),
    900279: (400, "Update operations are no longer allowed for this subscription."),
    900280: (400, "Update operations are currently not allowed for this subscription."),
    900311: (400, "This subscription has been updated too many times"),
    900316: (400, "Partner token is not allowed in license management calls"),
    900329: (403, "This resource does not support application-only authentication."),
    900420: (401, "The audience of this token is no longer supported"),
}


def classic(code: int, *data: str, text: str = "") -> ApiError:
    """Refuse in Partner Center's older shape."""
    status, description = TEXTS[code]
    # The catalogue spells its codes as text, the rest as numbers.
    shown: int | str = str(code) if 400000 <= code < 500000 else code
    body = {"code": shown, "description": text or description, "data": list(data), "source": "PartnerFD"}
    return ApiError(status, body)


def newer(code: int, name: str) -> ApiError:
    """Refuse in Partner Center's newer shape."""
    status, description = TEXTS[code]
    return ApiError(
        status,
        {
            "code": code,
            "message": description,
            "description": description,
            "errorName": name,
            "isRetryable": False,
            "parameters": {},
            "errorMessageExtended": f"InternalErrorCode={code}",
        },
    )


def unauthorized(text: str) -> ApiError:
    """Turn away at Partner Center's door."""
    return ApiError(401, {"code": 400, "description": text, "data": [], "source": "PartnerFD"})


def odd(code: str, message: str, status: int = 400) -> ApiError:
    """Refuse in Graph's shape; what changes from call to call is added on the way out."""
    return ApiError(status, {"error": {"code": code, "message": message}})


def bad_request(message: str) -> ApiError:
    """Refuse what was sent to Graph."""
    return odd("Request_BadRequest", message)


def not_found(name: str) -> ApiError:
    """Say that Graph knows no such object."""
    message = (
        f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    )
    return odd("Request_ResourceNotFound", message, 404)


def denied(message: str = "Insufficient privileges to complete the operation.") -> ApiError:
    """Refuse for lack of rights at Graph."""
    return odd("Authorization_RequestDenied", message, 403)
