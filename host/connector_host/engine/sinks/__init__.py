"""Where records go: files that can be cut back to a checkpoint, and standard output, which cannot."""

from .base import Sink, SinkMark
from .formats import FORMATS, format_of, sink_for
from .json_lines import JsonLinesSink
from .stdout import StdoutSink

__all__ = ["FORMATS", "JsonLinesSink", "Sink", "SinkMark", "StdoutSink", "format_of", "sink_for"]
