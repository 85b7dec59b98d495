"""What PyTorch computes, stored, so that agreement is tested where PyTorch is not installed."""
