package io.baton.e2e.fault;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** One client connection and the server connection behind it; each direction is pumped by a thread of its own. */
final class ProxiedConnection {

    private static final int BUFFER_BYTES = 16 * 1024;

    private final Socket client;
    private final Socket server;
    private final Consumer<ProxiedConnection> gone;
    private final AtomicInteger pumps = new AtomicInteger(2);
    private volatile boolean blackHole;
    private volatile boolean spared;

    ProxiedConnection(Socket client, Socket server, Consumer<ProxiedConnection> gone) {
        this.client = client;
        this.server = server;
        this.gone = gone;
    }

    /** Forwards bytes until the end of the stream, or until a fault says otherwise. */
    void pump(Socket from, Socket to, FaultProxy.Lane lane) {
        byte[] buffer = new byte[BUFFER_BYTES];
        FaultProxy.Tally tally = new FaultProxy.Tally();
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            int read;
            while ((read = in.read(buffer)) > 0) {
                forward(buffer, read, out, lane, tally);
            }
            if (!blackHole) {
                to.shutdownOutput();
            }
        } catch (IOException e) {
            cut();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            cut();
        } finally {
            if (pumps.decrementAndGet() == 0) {
                cut();
                gone.accept(this);
            }
        }
    }

    /** From now on faults and byte counts pass this connection by. */
    void spare() {
        spared = true;
    }

    /** Closes both sides with a reset, so that neither mistakes it for an orderly end. */
    void cut() {
        reset(client);
        reset(server);
    }

    static void reset(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
            socket.close();
        } catch (IOException e) {
            // already closed, which is what was wanted
        }
    }

    private void forward(byte[] buffer, int length, OutputStream out, FaultProxy.Lane lane, FaultProxy.Tally tally)
            throws IOException, InterruptedException {
        if (spared) {
            out.write(buffer, 0, length);
            return;
        }
        int done = 0;
        while (done < length && !blackHole) {
            int count = lane.untilStrike(length - done, tally);
            if (count == 0) {
                Optional<Fault> due = lane.strike();
                if (due.isEmpty()) {
                    continue;
                }
                switch (due.get()) {
                    case Fault.Cut _ -> throw new IOException("cut as scripted");
                    case Fault.Stall _ -> lane.healed().await();
                    case Fault.HalfOpen _ -> blackHole = true;
                    case Fault.Corrupt corrupt -> buffer[done] ^= (byte) corrupt.mask();
                    case Fault.Throttle _ -> lane.pause();
                }
                continue;
            }
            out.write(buffer, done, count);
            lane.passed(count, tally);
            done += count;
            lane.pause();
        }
    }
}
