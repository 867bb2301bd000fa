"""The world outside, each kind behind a Protocol, each with an embedded implementation that is real."""
