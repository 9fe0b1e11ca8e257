package io.baton.e2e.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.baton.e2e.fault.FaultProxy.Direction;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FaultProxyTest {

    private static final byte[] MESSAGE = new byte[10_000];

    static {
        for (int i = 0; i < MESSAGE.length; i++) {
            MESSAGE[i] = (byte) i;
        }
    }

    private ServerSocket echo;
    private FaultProxy proxy;
    private Socket client;

    @BeforeEach
    void connectThroughTheProxy() throws IOException {
        echo = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        echoOnce();
        proxy = FaultProxy.to(echo.getLocalPort());
        client = new Socket(InetAddress.getLoopbackAddress(), proxy.port());
        client.setSoTimeout(300);
    }

    /** Gives one more connection back what it brings. */
    private void echoOnce() {
        Thread.ofVirtual().start(() -> {
            try (Socket socket = echo.accept()) {
                socket.getInputStream().transferTo(socket.getOutputStream());
            } catch (IOException e) {
                return; // the test ended
            }
        });
    }

    @AfterEach
    void closeEverything() throws IOException {
        client.close();
        proxy.close();
        echo.close();
    }

    @Test
    void forwardsEveryByteUntilAFaultIsArmed() throws IOException {
        client.getOutputStream().write(MESSAGE);
        assertThat(client.getInputStream().readNBytes(MESSAGE.length)).isEqualTo(MESSAGE);
        assertThat(proxy.bytes(Direction.FROM_CLIENT)).isEqualTo(MESSAGE.length);
    }

    @Test
    void aCutComesAtTheScriptedByteAndNotBefore() throws IOException {
        proxy.arm(Direction.FROM_CLIENT, 1_000, new Fault.Cut());
        client.getOutputStream().write(MESSAGE, 0, 1_000);
        assertThat(client.getInputStream().readNBytes(1_000)).hasSize(1_000);
        client.getOutputStream().write(MESSAGE, 0, 1);
        assertThatThrownBy(() -> client.getInputStream().readAllBytes()).isInstanceOf(IOException.class);
        assertThat(proxy.bytes(Direction.FROM_CLIENT)).isEqualTo(1_000);
    }

    @Test
    void aCorruptedByteIsTheOnlyOneThatDiffers() throws IOException {
        proxy.arm(Direction.FROM_SERVER, 4_321, new Fault.Corrupt(0x10));
        client.getOutputStream().write(MESSAGE);
        byte[] expected = MESSAGE.clone();
        expected[4_321] ^= 0x10;
        assertThat(client.getInputStream().readNBytes(MESSAGE.length)).isEqualTo(expected);
    }

    @Test
    void aStalledDirectionGoesOnWhenHealed() throws Exception {
        proxy.arm(Direction.FROM_SERVER, 100, new Fault.Stall());
        client.getOutputStream().write(MESSAGE);
        assertThat(client.getInputStream().readNBytes(100)).hasSize(100);
        assertThat(proxy.struck(Direction.FROM_SERVER).await(1, TimeUnit.SECONDS))
                .isTrue();
        assertThatThrownBy(() -> client.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);
        proxy.heal();
        assertThat(client.getInputStream().readNBytes(MESSAGE.length - 100))
                .isEqualTo(Arrays.copyOfRange(MESSAGE, 100, MESSAGE.length));
    }

    @Test
    void aHalfOpenConnectionTakesBytesAndAnswersNothing() throws IOException {
        proxy.arm(Direction.FROM_CLIENT, 0, new Fault.HalfOpen());
        client.getOutputStream().write(MESSAGE);
        assertThatThrownBy(() -> client.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);
        assertThat(proxy.open()).isEqualTo(1);
    }

    @Test
    void aThrottledDirectionKeepsToItsRate() throws IOException {
        proxy.arm(Direction.FROM_SERVER, 0, new Fault.Throttle(50_000));
        long start = System.nanoTime();
        client.getOutputStream().write(MESSAGE);
        assertThat(client.getInputStream().readNBytes(MESSAGE.length)).isEqualTo(MESSAGE);
        assertThat(System.nanoTime() - start).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(150));
    }

    @Test
    void aFaultForOneConnectionStrikesTheOneThatCarriesItsBytesByItself() throws IOException {
        proxy.armOneConnection(Direction.FROM_CLIENT, 1_000, new Fault.Cut());
        client.getOutputStream().write(MESSAGE, 0, 900);
        assertThat(client.getInputStream().readNBytes(900)).hasSize(900);
        try (Socket other = new Socket(InetAddress.getLoopbackAddress(), proxy.port())) {
            echoOnce();
            other.getOutputStream().write(MESSAGE, 0, 900); // 1800 on both, yet neither has carried 1000
            assertThat(other.getInputStream().readNBytes(900)).hasSize(900);
            other.getOutputStream().write(MESSAGE, 0, 200);
            assertThatThrownBy(() -> other.getInputStream().readNBytes(200)).isInstanceOf(IOException.class);
        }
        client.getOutputStream().write(MESSAGE, 0, 1);
        assertThat(client.getInputStream().readNBytes(1)).hasSize(1);
    }

    @Test
    void aReplacedServerGetsTheConnectionsToCome() throws IOException {
        client.getOutputStream().write(MESSAGE, 0, 1);
        assertThat(client.getInputStream().readNBytes(1)).hasSize(1); // it has reached the server that was there
        try (ServerSocket replacement = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            proxy.retarget(replacement.getLocalPort());
            try (Socket second = new Socket(InetAddress.getLoopbackAddress(), proxy.port());
                    Socket accepted = replacement.accept()) {
                second.getOutputStream().write(MESSAGE, 0, 10);
                assertThat(accepted.getInputStream().readNBytes(10)).hasSize(10);
            }
        }
    }

    @Test
    void aSparedConnectionNeitherCountsNorBreaks() throws IOException {
        client.getOutputStream().write(MESSAGE, 0, 1);
        assertThat(client.getInputStream().readNBytes(1)).hasSize(1);
        proxy.spareConnectionsMadeSoFar();
        proxy.arm(Direction.FROM_CLIENT, 10, new Fault.Cut());
        client.getOutputStream().write(MESSAGE);
        assertThat(client.getInputStream().readNBytes(MESSAGE.length)).isEqualTo(MESSAGE);
        assertThat(proxy.bytes(Direction.FROM_CLIENT)).isEqualTo(1);
    }
}
