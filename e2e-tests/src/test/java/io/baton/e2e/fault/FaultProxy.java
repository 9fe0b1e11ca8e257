package io.baton.e2e.fault;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * A TCP proxy on loopback that stands between two tiers and breaks the way between them on purpose. Faults are scripted
 * by byte offset, counted per direction from the moment of arming over all connections, so that a test says "after 3000
 * more bytes from the server, cut" and gets the same break every time. A fault strikes the one connection that carries
 * its byte. Connections that are there for something else (a Watch stream) can be spared: they neither count nor break.
 * Any thread.
 */
public final class FaultProxy implements AutoCloseable {

    /** Which way bytes flow. */
    public enum Direction {
        FROM_CLIENT,
        FROM_SERVER
    }

    private final ServerSocket listener;
    private volatile InetSocketAddress target;
    private final Set<ProxiedConnection> connections = ConcurrentHashMap.newKeySet();
    private final Map<Direction, Lane> lanes = new EnumMap<>(Direction.class);
    private final AtomicInteger accepted = new AtomicInteger();

    private FaultProxy(ServerSocket listener, InetSocketAddress target) {
        this.listener = listener;
        this.target = target;
        for (Direction direction : Direction.values()) {
            lanes.put(direction, new Lane());
        }
    }

    /** A proxy to a loopback port that forwards everything until told otherwise. */
    public static FaultProxy to(int port) {
        try {
            InetAddress loopback = InetAddress.getLoopbackAddress();
            FaultProxy proxy = new FaultProxy(new ServerSocket(0, 64, loopback), new InetSocketAddress(loopback, port));
            Thread.ofVirtual().name("fault-proxy-accept").start(proxy::accept);
            return proxy;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot listen on loopback", e);
        }
    }

    /** Connections to come go to this loopback port: what was there has been replaced. */
    public void retarget(int port) {
        target = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    public int port() {
        return listener.getLocalPort();
    }

    /** {@code 127.0.0.1:port}. */
    public String address() {
        return "127.0.0.1:" + port();
    }

    /** Breaks {@code direction} after {@code afterBytes} more bytes; replaces what was armed for it. */
    public void arm(Direction direction, long afterBytes, Fault fault) {
        lane(direction).arm(afterBytes, fault, false);
    }

    /**
     * As {@link #arm}, for the first connection that carries {@code afterBytes} more bytes by itself: one that only
     * watches never does.
     */
    public void armOneConnection(Direction direction, long afterBytes, Fault fault) {
        lane(direction).arm(afterBytes, fault, true);
    }

    /** Connections made so far are spared from now on; those to come are not. */
    public void spareConnectionsMadeSoFar() {
        connections.forEach(ProxiedConnection::spare);
    }

    /** Forgets what is armed; streams that are stalled go on, connections that are cut or half open stay so. */
    public void heal() {
        lanes.values().forEach(Lane::heal);
    }

    /** Forgets what is armed and has not happened. */
    public void disarm() {
        lanes.values().forEach(Lane::disarm);
    }

    /** Runs {@code then} when the fault armed for {@code direction} happens, before it has any effect. */
    public void whenStruck(Direction direction, Runnable then) {
        lane(direction).whenStruck(then);
    }

    /** Completes when the fault armed last for {@code direction} has happened. */
    public CountDownLatch struck(Direction direction) {
        return lane(direction).struck();
    }

    /** Bytes forwarded in {@code direction} so far, over all connections. */
    public long bytes(Direction direction) {
        return lane(direction).forwarded();
    }

    /** Connections accepted so far. */
    public int accepted() {
        return accepted.get();
    }

    /** Connections that are open on at least one side. */
    public int open() {
        return connections.size();
    }

    /** Cuts every connection now; new ones are still accepted. */
    public void cutAll() {
        connections.forEach(ProxiedConnection::cut);
    }

    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        heal();
        cutAll();
    }

    private Lane lane(Direction direction) {
        return Optional.ofNullable(lanes.get(direction)).orElseThrow();
    }

    private void accept() {
        while (true) {
            Socket client;
            try {
                client = listener.accept();
            } catch (IOException e) {
                return; // closed
            }
            accepted.incrementAndGet();
            try {
                Socket server = new Socket();
                server.connect(target);
                connect(client, server);
            } catch (IOException e) {
                ProxiedConnection.reset(client); // its server refuses, or it has gone again
            }
        }
    }

    private void connect(Socket client, Socket server) throws IOException {
        client.setTcpNoDelay(true);
        server.setTcpNoDelay(true);
        ProxiedConnection connection = new ProxiedConnection(client, server, connections::remove);
        connections.add(connection);
        Thread.ofVirtual()
                .name("fault-proxy-from-client")
                .start(() -> connection.pump(client, server, lane(Direction.FROM_CLIENT)));
        Thread.ofVirtual()
                .name("fault-proxy-from-server")
                .start(() -> connection.pump(server, client, lane(Direction.FROM_SERVER)));
    }

    /** Bytes of one direction of one connection since a lane was armed last. Guarded by the lane. */
    static final class Tally {
        private int arming;
        private long bytes;
    }

    /** One direction over all connections: how many bytes passed, and what is to happen at which offset. */
    static final class Lane {

        private long forwarded;
        private long strikeAt = Long.MAX_VALUE;
        private boolean ofOneConnection;
        private int arming;
        private Optional<Fault> armed = Optional.empty();
        private CountDownLatch struck = new CountDownLatch(1);
        private CountDownLatch healed = new CountDownLatch(0);
        private Optional<Fault.Throttle> throttle = Optional.empty();
        private Runnable onStrike = () -> {};

        synchronized void arm(long afterBytes, Fault fault, boolean oneConnection) {
            arming++;
            armed = Optional.of(fault);
            ofOneConnection = oneConnection;
            strikeAt = oneConnection ? afterBytes : forwarded + afterBytes;
            struck = new CountDownLatch(1);
            healed = new CountDownLatch(1);
            onStrike = () -> {};
            throttle = Optional.empty();
        }

        synchronized void heal() {
            armed = Optional.empty();
            throttle = Optional.empty();
            strikeAt = Long.MAX_VALUE;
            healed.countDown();
        }

        synchronized void disarm() {
            armed = Optional.empty();
            strikeAt = Long.MAX_VALUE;
        }

        synchronized void whenStruck(Runnable then) {
            onStrike = then;
        }

        synchronized CountDownLatch struck() {
            return struck;
        }

        synchronized CountDownLatch healed() {
            return healed;
        }

        synchronized long forwarded() {
            return forwarded;
        }

        /** How many of {@code available} bytes may go on before something happens; 0 means that it happens now. */
        synchronized int untilStrike(int available, Tally tally) {
            int slice = throttle.map(Fault.Throttle::sliceBytes).orElse(available);
            long passed = ofOneConnection ? sinceArmed(tally) : forwarded;
            return (int) Math.min(Math.min(available, slice), Math.max(0, strikeAt - passed));
        }

        synchronized void passed(int bytes, Tally tally) {
            forwarded += bytes;
            tally.bytes = sinceArmed(tally) + bytes;
        }

        private long sinceArmed(Tally tally) {
            if (tally.arming != arming) {
                tally.arming = arming;
                tally.bytes = 0;
            }
            return tally.bytes;
        }

        /**
         * Takes the fault that is due, unless it was disarmed just now. A throttle stays on; the others happen once.
         */
        Optional<Fault> strike() {
            Optional<Fault> due;
            Runnable then;
            synchronized (this) {
                due = armed;
                then = onStrike;
                disarm();
                due.ifPresent(fault -> {
                    throttle = fault instanceof Fault.Throttle limit ? Optional.of(limit) : Optional.empty();
                    struck.countDown();
                });
            }
            if (due.isPresent()) {
                then.run();
            }
            return due;
        }

        void pause() {
            Optional<Fault.Throttle> limit;
            synchronized (this) {
                limit = throttle;
            }
            limit.ifPresent(found -> LockSupport.parkNanos(found.pause().toNanos()));
        }
    }
}
