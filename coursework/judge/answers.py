"""Ask one question of a sandbox, and say in words what is wrong with the answer."""

import builtins

from coursework.judge import wire

# A name that a submission made up itself could carry the hidden inputs out.
KNOWN_ERRORS = {
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
} | {"LinAlgError", "AxisError"}
BAD_ANSWERS = {
    "nothing": "the function returned nothing",
    "parts": "the function did not return as many arrays as were asked for",
    "numbers": "the function did not return an array of real numbers",
}


def ask(process, question, deadline):
    """Return None if a question is answered right, otherwise why it is not."""
    for call in question.calls:
        process.send(call.message, deadline)
        header, body = process.receive(deadline)
        if header == {"missing": True}:
            return f"there is no function {question.function}"
        fault = _fault(call, header, body)
        if fault:
            return f"{call.label}: {fault}"
    return None


def _fault(call, header, body):
    """Return what is wrong with the answer to one call, or None."""
    error = header.get("error")
    if isinstance(error, str):
        known = error if error in KNOWN_ERRORS else "an error of its own"
        return f"the function stopped with {known}"
    bad = header.get("bad")
    if isinstance(bad, str) and bad in BAD_ANSWERS:
        return BAD_ANSWERS[bad]
    return call.agrees(wire.decode_arrays(header.get("sizes"), body))
