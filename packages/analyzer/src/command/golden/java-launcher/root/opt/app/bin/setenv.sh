JAVA=/opt/java/bin/java
LD_PRELOAD=/usr/lib/libjemalloc.so.2
export LD_PRELOAD
