"""Ask one question of a sandbox, and say in words what is wrong with the answers."""

from coursework.judge import errors, wire

BAD_ANSWERS = {
    "nothing": "the function returned nothing",
    "parts": "the function did not return as many arrays as were asked for",
    "numbers": "the function did not return an array of real numbers",
    "changed": "the function changes its arguments",
}


def ask(process, question, deadline):
    """Yield for each call None if it is answered right, otherwise why it is not."""
    for call in question.calls:
        process.send(call.message, deadline)
        header, body = process.receive(deadline)
        if header == {"missing": True}:
            yield f"there is no function {question.function}"
            return
        yield _fault(call, header, body)


def _fault(call, header, body):
    """Return what is wrong with the answer to one call, or None.

    The label of the call stands before a wrong answer alone: an error that may choose
    among the labels says more.
    """
    if "error" in header:
        return f"the function stopped: {errors.words(header['error'])}"
    bad = header.get("bad")
    if isinstance(bad, str) and bad in BAD_ANSWERS:
        return BAD_ANSWERS[bad]
    fault = call.agrees(wire.decode_arrays(header.get("sizes"), body))
    return fault and f"{call.label}: {fault}"
