"""An SMS gateway for Alibaba Cloud."""
