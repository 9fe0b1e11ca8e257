package io.baton.serving;

import java.time.Duration;

/**
 * When a connection that carries nothing is taken for dead. Both ends of every connection between processes ping, so
 * that each finds out by itself: the dialling end ({@link Channels}) fails the calls it waits for, the listening end
 * ({@link GrpcServer}) cancels what it computes for a caller that is not there any more.
 *
 * <p>Keepalive is the last of three bounds, and meant to be the slowest:
 *
 * <ul>
 *   <li>A process that dies resets its connections: its peers know at once.
 *   <li>A process that is stopped, and a way that carries nothing, are noticed by what is missing: a KV stream by its
 *       PROGRESS frames (due every 250 ms, given up after 1 s or three times the gap that the measured rate predicts),
 *       a token stream by token and heartbeat (due every second, given up after three are missed, 3.5 s). These know
 *       what they wait for, give up one stream and go on elsewhere, and leave the connection to others.
 *   <li>What nobody waits on is found by keepalive alone: a decode node that writes to a gateway which is gone without
 *       a reset, a client whose gateway is, a pooled connection that a firewall has forgotten. {@link #EVERY} and
 *       {@link #TIMEOUT} bound that by 15 s.
 * </ul>
 *
 * <p>Faster pings would find no failure of the first two kinds earlier, but would take connections away whenever a
 * process pauses for as long as the timeout, for garbage collection or under a debugger, with every stream on them; 5 s
 * is also what a KV sender allows a peer that accepts no byte. Slower ones would let a lost caller hold blocks, or a
 * dead connection wait for its next request, for longer than the ten missed heartbeats that make a node gone. Idle
 * connections are pinged too: load balancers and connection trackers drop them after minutes, and the request that
 * finds out pays for it.
 */
public final class KeepAlive {

    /** After this long without a byte read an end pings. */
    public static final Duration EVERY = Duration.ofSeconds(10);

    /** A ping unanswered for this long ends the connection. */
    public static final Duration TIMEOUT = Duration.ofSeconds(5);

    /**
     * A client that pings more often is disconnected as abusive. Half of {@link #EVERY}: gRPC counts pings that come
     * early, and a timer is never exact.
     */
    public static final Duration PERMITTED_EVERY = EVERY.dividedBy(2);

    private KeepAlive() {}
}
