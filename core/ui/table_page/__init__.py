"""What only the page *Which version wins?* uses: rows × prompt versions × models."""
