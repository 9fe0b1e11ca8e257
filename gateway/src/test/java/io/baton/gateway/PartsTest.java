package io.baton.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.baton.proto.v1.TtftParts;
import io.baton.serving.ListenSettings;
import io.baton.serving.Settings;
import io.baton.serving.SettingsException;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** The small parts of a gateway, each by itself. */
class PartsTest {

    @Test
    void partsOfTheFirstTokenNeverSumToMoreThanItWhateverADecodeNodeSays() {
        Random random = new Random(9);
        for (int round = 0; round < 1_000; round++) {
            AtomicLong nanos = new AtomicLong(random.nextLong());
            FirstToken first = new FirstToken(nanos::get, 0);
            nanos.addAndGet(random.nextInt(5_000_000));
            first.checked();
            nanos.addAndGet(random.nextInt(5_000_000));
            first.sent();
            nanos.addAndGet(random.nextInt(50_000_000));
            first.left(random.nextInt(60_000_000)); // even before it was sent
            first.arrived(random.nextInt(60_000_000)); // even before it was asked for
            nanos.addAndGet(random.nextInt(1_000_000));
            first.written(TtftParts.newBuilder()
                    .setDecodeAdmissionMicros(random.nextInt(10_000))
                    .setPrefillQueueMicros(random.nextInt(20_000))
                    .setPrefixFetchMicros(random.nextInt(10) == 0 ? Long.MAX_VALUE : 0)
                    .setPrefillComputeMicros(random.nextInt(20_000))
                    .setExposedTransferMicros(random.nextInt(10_000))
                    .setFirstStepMicros(random.nextInt(10_000))
                    .build());
            TtftParts parts = first.parts();
            assertThat(parts.getUnattributedMicros()).isNotNegative();
            assertThat(parts.getGatewayMicros()
                            + parts.getRouteMicros()
                            + parts.getDecodeAdmissionMicros()
                            + parts.getPrefillQueueMicros()
                            + parts.getPrefixFetchMicros()
                            + parts.getPrefillComputeMicros()
                            + parts.getExposedTransferMicros()
                            + parts.getFirstStepMicros()
                            + parts.getUnattributedMicros())
                    .isEqualTo(parts.getTotalMicros());
        }
    }

    @Test
    void whatAFailedAttemptTookIsPartOfFindingTheWay() {
        AtomicLong nanos = new AtomicLong();
        FirstToken first = new FirstToken(nanos::get, 0);
        nanos.set(1_000_000);
        first.checked();
        first.sent();
        nanos.set(40_000_000); // lost; another way is sought, with the hashes of the blocks again
        first.checked();
        nanos.set(42_000_000);
        first.sent();
        nanos.set(50_000_000);
        first.left(8_000_000);
        first.arrived(0);
        first.written(TtftParts.newBuilder().setPrefillComputeMicros(7_000).build());
        assertThat(first.parts())
                .isEqualTo(TtftParts.newBuilder()
                        .setTotalMicros(50_000)
                        .setGatewayMicros(1_000)
                        .setRouteMicros(41_000)
                        .setPrefillComputeMicros(7_000)
                        .setUnattributedMicros(1_000)
                        .build());
    }

    @Test
    void theGatewaysPartIsWhatItDoesAtBothEnds() {
        AtomicLong nanos = new AtomicLong(10_000_000);
        FirstToken first = new FirstToken(nanos::get, 2_000_000); // waited for a thread
        nanos.addAndGet(1_000_000);
        first.checked();
        nanos.addAndGet(4_000_000);
        first.sent();
        nanos.addAndGet(20_500_000);
        first.left(20_000_000); // the transport's thread was not at once free
        first.arrived(300_000); // the request's thread woke up late
        nanos.addAndGet(200_000);
        first.written(TtftParts.newBuilder().setPrefillComputeMicros(19_000).build());
        assertThat(first.parts())
                .isEqualTo(TtftParts.newBuilder()
                        .setTotalMicros(27_700)
                        .setGatewayMicros(2_000 + 1_000 + 500 + 300 + 200)
                        .setRouteMicros(4_000)
                        .setPrefillComputeMicros(19_000)
                        .setUnattributedMicros(700)
                        .build());
    }

    @Test
    void saltsTellApartTenantsGroupsSaltsAndClusters() {
        Set<String> salts = new HashSet<>();
        for (Optional<String> key :
                List.of(Optional.<String>empty(), Optional.of("k".repeat(16)), Optional.of("K".repeat(16)))) {
            for (Tenant tenant : List.of(
                    Tenant.ANONYMOUS,
                    new Tenant("a", ""),
                    new Tenant("", "a"),
                    new Tenant("a", "b"),
                    new Tenant("ab", ""))) {
                for (String salt : List.of("", "a", "b")) {
                    salts.add(HexFormat.of().formatHex(new EffectiveSalt(key).of(tenant, salt)));
                }
            }
        }
        assertThat(salts).hasSize(45);
        assertThat(new EffectiveSalt(Optional.empty()).of(Tenant.ANONYMOUS, "")).isEmpty();
        assertThat(new EffectiveSalt(Optional.of("k".repeat(16))).of(Tenant.ANONYMOUS, ""))
                .hasSize(32);
    }

    @Test
    void aTenthOfTheRequestsMayBeTriedAgain() {
        RetryBudget budget = new RetryBudget(0.1, 10);
        int retries = 0;
        for (int request = 0; request < 1_000; request++) {
            budget.requestCame();
            retries += budget.tryRetry() ? 1 : 0;
        }
        assertThat(retries).isBetween(100, 110);
    }

    @Test
    void requestsBeyondTheBoundsAreRefusedAndLeaveRoomAgain() {
        InFlight inFlight = new InFlight(3, 2);
        Tenant a = new Tenant("a", "");
        Tenant b = new Tenant("b", "");
        inFlight.enter(a);
        inFlight.enter(a);
        assertRefused(inFlight, a, Status.Code.RESOURCE_EXHAUSTED);
        inFlight.enter(b);
        assertRefused(inFlight, b, Status.Code.RESOURCE_EXHAUSTED);
        inFlight.leave(a);
        inFlight.enter(b);
        inFlight.drain();
        assertRefused(inFlight, a, Status.Code.UNAVAILABLE);
        assertThat(inFlight.running()).isEqualTo(3);
    }

    private static void assertRefused(InFlight inFlight, Tenant tenant, Status.Code code) {
        assertThatThrownBy(() -> inFlight.enter(tenant))
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode()).isEqualTo(code));
    }

    @Test
    void addressesAreHostAndPort() {
        assertThat(NodeAddress.parse("10.0.0.1:80").isLiteral()).isTrue();
        assertThat(NodeAddress.parse("[::1]:80")).hasToString("[::1]:80");
        assertThat(NodeAddress.parse("[::1]:80").isLiteral()).isTrue();
        assertThat(NodeAddress.parse("decode.ns.svc:80").isLiteral()).isFalse();
        for (String wrong : List.of("", "host", ":80", "host:", "host:0", "host:65536", "::1:80", "host:x")) {
            assertThat(NodeAddress.isAddress(wrong)).as(wrong).isFalse();
        }
    }

    @Test
    void settingsComeFromTheCommonLayersAndSayWhatIsWrong() {
        Settings loaded = Settings.of(GatewaySettings.SETTINGS)
                .flags(Map.of("decode-nodes", "d:1,d:2", "max-in-flight", "7"))
                .load();
        GatewaySettings settings = GatewaySettings.from(loaded, "gateway", ListenSettings.loopback());
        assertThat(settings.decodeNodes()).containsExactly("d:1", "d:2");
        assertThat(settings.memberRefresh()).isEqualTo(Duration.ofSeconds(5));
        assertThat(settings.maxInFlightPerTenant()).isEqualTo(7);
        assertThatThrownBy(() -> GatewaySettings.of("gateway", ListenSettings.loopback(), List.of(), List.of()))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("decode-nodes");
        assertThatThrownBy(() -> Settings.of(GatewaySettings.SETTINGS)
                        .flags(Map.of("decode-nodes", "nonsense"))
                        .load())
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("HOST:PORT");
        assertThatThrownBy(() -> Settings.of(GatewaySettings.SETTINGS)
                        .flags(Map.of("cluster-key", "short"))
                        .load())
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("16 bytes")
                .hasMessageNotContaining("short");
    }

    @Test
    void kvSizesFollowTheFingerprintsNumerics() {
        ServedModel model = TestingModel.served(); // 2 layers, 2 heads of 8 for K and V each
        assertThat(model.geometry(TestingModel.fingerprint()).bytesPerToken()).isEqualTo(2 * 2 * 2 * 8 * 2);
        assertThat(model.geometry(TestingModel.fingerprint()).blockTokens()).isEqualTo(16);
    }
}
