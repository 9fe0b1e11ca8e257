package io.baton.serving;

import java.time.Duration;

/**
 * What one peer may ask of a server.
 *
 * @param inboundMessageBytes largest request message
 * @param inboundMetadataBytes largest header list of a request
 * @param callsPerConnection concurrent calls of one connection; further ones wait at the client
 * @param keepAliveEvery a client that pings more often is disconnected
 * @param streamWindowBytes fixed HTTP/2 window for what clients send
 */
public record ServerLimits(
        int inboundMessageBytes,
        int inboundMetadataBytes,
        int callsPerConnection,
        Duration keepAliveEvery,
        int streamWindowBytes) {

    public ServerLimits {
        if (inboundMessageBytes < 1
                || inboundMetadataBytes < 1
                || callsPerConnection < 1
                || streamWindowBytes < 65_535) {
            throw new IllegalArgumentException(
                    "expected positive limits and a stream window of at least 65535 bytes, found %d, %d, %d, %d"
                            .formatted(
                                    inboundMessageBytes, inboundMetadataBytes, callsPerConnection, streamWindowBytes));
        }
    }

    /** 8 MiB holds a prompt of a million token ids; pings are allowed twice as often as {@link Channels} sends them. */
    public static ServerLimits defaults() {
        return new ServerLimits(8 << 20, 16 << 10, 1024, KeepAlive.PERMITTED_EVERY, 1 << 20);
    }
}
