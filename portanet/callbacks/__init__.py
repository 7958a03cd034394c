"""What happens beside training: callbacks, with the hooks of Keras 3."""

from portanet.callbacks.base import Callback, CallbackList

__all__ = ["Callback", "CallbackList"]
