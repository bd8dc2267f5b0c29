"""The messengers: each module speaks one protocol and leaves every decision to the runtime."""
