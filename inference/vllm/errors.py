"""What can go wrong between us and the model server, by what helps. Each message names the cause and the remedy."""


class ModelError(Exception):
    """The model server did not give an answer."""


class ModelAway(ModelError):
    """It does not answer, or is overloaded: later, nothing about the document is wrong."""


class ModelSlow(ModelAway):
    """It is overloaded, or took longer than we wait: to ask again at once would only add to its load."""


class ModelFails(ModelAway):
    """It is there and fails in this request: later, but not for ever, since what fails may be this document."""


class ModelMisconfigured(ModelError):
    """It answers, but not to us as we are set up: key, model name, address, options. A person must mend it."""


class ModelRefused(ModelError):
    """It answers, but refuses this request: an image it cannot open, a prompt over its context."""
