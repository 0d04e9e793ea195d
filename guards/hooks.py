"""The events of hooks, by the name that they had before `guards.events`; it goes with 1.0."""

from guards.events import AttemptEnded, AttemptStarted, CallEnded, Decided, Event, FindingFound, Hook

__all__ = ["AttemptEnded", "AttemptStarted", "CallEnded", "Decided", "Event", "FindingFound", "Hook"]
