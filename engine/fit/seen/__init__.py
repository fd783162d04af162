"""What a photo shows of the fitted head, in the photo and in the layout of the skin."""
