"""KerasHub presets on the torch backend, an optional extra."""
