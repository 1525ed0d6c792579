"""What the manifest cannot say of actions: calls that clear what is left out, so that they read first."""
