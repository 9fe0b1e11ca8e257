package io.baton.cli;

/** One port that is open: what {@code up} prints, a line each, as {@code gateway grpc 127.0.0.1:50051}. */
record Endpoint(String node, String protocol, String address) {

    @Override
    public String toString() {
        return node + " " + protocol + " " + address;
    }
}
