"""Callbacks, with the hooks of Keras 3."""

from typing import TYPE_CHECKING

from portanet.callbacks.activation_monitor import ActivationMonitor
from portanet.callbacks.base import Callback
from portanet.callbacks.callback_list import CallbackList
from portanet.callbacks.checkpoint import BackupAndRestore, ModelCheckpoint
from portanet.callbacks.early_stopping import EarlyStopping
from portanet.callbacks.gradient_monitor import GradientMonitor
from portanet.callbacks.history import History
from portanet.callbacks.lambda_callback import LambdaCallback
from portanet.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from portanet.callbacks.log_file import CSVLogger, JSONLinesLogger, LogFile
from portanet.callbacks.monitor import Monitor
from portanet.callbacks.plot_history import PlotHistory
from portanet.callbacks.probe import Probe
from portanet.callbacks.profiler import Profiler
from portanet.callbacks.progress import ProgbarLogger, ProgressBar
from portanet.callbacks.remote_monitor import RemoteMonitor
from portanet.callbacks.swap_ema_weights import SwapEMAWeights
from portanet.callbacks.tensorboard import TensorBoard
from portanet.callbacks.terminate_on_nan import TerminateOnNaN
from portanet.callbacks.timing import Timing
from portanet.lookup import no_attribute

__all__ = [
    "ActivationMonitor",
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "GradientMonitor",
    "History",
    "JSONLinesLogger",
    "LambdaCallback",
    "LearningRateScheduler",
    "LogFile",
    "ModelCheckpoint",
    "Monitor",
    "PlotHistory",
    "Probe",
    "Profiler",
    "ProgbarLogger",
    "ProgressBar",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
    "Timing",
]


if not TYPE_CHECKING:  # which then knows the names

    def __getattr__(name):
        raise no_attribute(__name__, name, __all__)
