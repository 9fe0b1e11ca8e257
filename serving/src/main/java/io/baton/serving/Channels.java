package io.baton.serving;

import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * The connections of one process to its peers. Tokens, Watch and health share one channel per peer; KV streams have
 * channels of their own, so that a handoff of many megabytes never stands in front of a token. Connections are made
 * lazily, kept alive ({@link KeepAlive}), and never retry a call: each failure has one layer that retries it.
 * Thread-safe.
 */
public final class Channels implements AutoCloseable {

    /** KV channels per peer. */
    public static final int KV_CHANNELS = 2;

    /** Fixed HTTP/2 stream window of a KV channel: what one stream may have in flight, and so the memory it can pin. */
    public static final int KV_WINDOW_BYTES = 4 << 20;

    private static final int CONTROL_MESSAGE_BYTES = 8 << 20;
    // A frame holds at most max(1 MiB, one (layer, block) unit) and its header; units are 32 to 64 KiB on current
    // models.
    private static final int KV_MESSAGE_BYTES = 16 << 20;

    private record Peer(String target, PeerRole role) {}

    private record KvChannels(List<ManagedChannel> channels, AtomicInteger turn) {
        ManagedChannel next() {
            return channels.get(Math.floorMod(turn.getAndIncrement(), channels.size()));
        }
    }

    private final TlsSettings tls;
    private final TlsCredentials credentials;
    private final ChannelCredentials channelCredentials;
    private final Map<Peer, ManagedChannel> control = new ConcurrentHashMap<>();
    private final Map<Peer, KvChannels> kv = new ConcurrentHashMap<>();

    public Channels(TlsSettings tls) {
        this(tls, TlsCredentials.of(tls));
    }

    Channels(TlsSettings tls, TlsCredentials credentials) {
        this.tls = tls;
        this.credentials = credentials;
        this.channelCredentials = credentials.forChannels();
    }

    /**
     * The channel for tokens, Watch and health.
     *
     * @param target {@code host:port} or a gRPC target
     * @param role what the peer's certificate must name it
     */
    public Channel control(String target, PeerRole role) {
        return control.computeIfAbsent(
                new Peer(target, role),
                peer -> builder(peer)
                        .maxInboundMessageSize(CONTROL_MESSAGE_BYTES)
                        .build());
    }

    /** One of the peer's KV channels, in turn. */
    public Channel kv(String target, PeerRole role) {
        return kv.computeIfAbsent(new Peer(target, role), this::kvChannels).next();
    }

    private KvChannels kvChannels(Peer peer) {
        List<ManagedChannel> channels = new ArrayList<>();
        for (int i = 0; i < KV_CHANNELS; i++) {
            channels.add(builder(peer)
                    .flowControlWindow(KV_WINDOW_BYTES)
                    .maxInboundMessageSize(KV_MESSAGE_BYTES)
                    .build());
        }
        return new KvChannels(List.copyOf(channels), new AtomicInteger());
    }

    private NettyChannelBuilder builder(Peer peer) {
        NettyChannelBuilder builder = NettyChannelBuilder.forTarget(peer.target(), channelCredentials)
                .disableRetry()
                .intercept(new ConnectionLoss())
                .keepAliveTime(KeepAlive.EVERY.toSeconds(), TimeUnit.SECONDS)
                .keepAliveTimeout(KeepAlive.TIMEOUT.toSeconds(), TimeUnit.SECONDS)
                .keepAliveWithoutCalls(true);
        return tls.dialsTls() ? builder.overrideAuthority(tls.peerName(peer.role())) : builder;
    }

    /** Dials a peer now if its channel was waiting out gRPC's own backoff, which grows to two minutes. */
    public void redial(String target) {
        control.forEach((peer, channel) -> {
            if (peer.target().equals(target)) {
                channel.resetConnectBackoff();
            }
        });
        kv.forEach((peer, channels) -> {
            if (peer.target().equals(target)) {
                channels.channels().forEach(ManagedChannel::resetConnectBackoff);
            }
        });
    }

    /** Forgets a peer that has left; its running calls are cancelled. */
    public void drop(String target) {
        control.keySet().stream()
                .filter(peer -> peer.target().equals(target))
                .toList()
                .forEach(peer -> {
                    ManagedChannel channel = control.remove(peer);
                    if (channel != null) {
                        channel.shutdownNow();
                    }
                });
        kv.keySet().stream()
                .filter(peer -> peer.target().equals(target))
                .toList()
                .forEach(peer -> {
                    KvChannels channels = kv.remove(peer);
                    if (channels != null) {
                        channels.channels().forEach(ManagedChannel::shutdownNow);
                    }
                });
    }

    /** Cancels every call and disconnects. */
    @Override
    public void close() {
        Stream.concat(control.values().stream(), kv.values().stream().flatMap(channels -> channels.channels().stream()))
                .forEach(ManagedChannel::shutdownNow);
        control.clear();
        kv.clear();
        credentials.close();
    }
}
