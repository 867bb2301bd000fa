"""WeChat and Alipay, as their web services are: clients behind `ports.social`, and the guarded fetch of pictures."""
