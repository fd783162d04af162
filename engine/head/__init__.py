"""Head geometry, camera and light as pure torch functions."""
