"""The HTTP door: translates requests into questions and answers into JSON, and decides nothing."""
