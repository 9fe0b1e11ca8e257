package io.baton.engine.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.baton.engine.EngineException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryBudgetTest {

    private static final long GIB = 1L << 30;

    @TempDir
    Path root;

    @Test
    void whatDoesNotFitIsRefusedWithAllNumbers() {
        MemoryBudget budget =
                MemoryBudget.under(new MemoryLimit(Runtime.getRuntime().maxMemory() + GIB, "the test"));
        budget.reserve("weights", GIB / 2);
        assertThatThrownBy(() -> budget.reserve("KV pool", GIB / 2))
                .isInstanceOfSatisfying(EngineException.class, e -> {
                    assertThat(e.kind()).isEqualTo(EngineException.Kind.RESOURCE_EXHAUSTED);
                })
                .hasMessageContaining("KV pool needs 512 MiB, but 256 MiB of")
                .hasMessageContaining("weights 512 MiB")
                .hasMessageContaining("the test")
                .hasMessageContaining("-Xmx");
    }

    @Test
    void whatIsGivenBackCanBeReservedAgain() {
        MemoryBudget budget =
                MemoryBudget.under(new MemoryLimit(Runtime.getRuntime().maxMemory() + GIB, "the test"));
        long remaining = budget.remaining();
        try (MemoryBudget.Reservation pool = budget.reserve("pool", remaining)) {
            assertThat(pool).isNotNull();
            assertThat(budget.remaining()).isZero();
        }
        assertThat(budget.remaining()).isEqualTo(remaining);
        assertThat(budget.report()).contains("heap (-Xmx)").contains("the test").doesNotContain("pool");
    }

    @Test
    void theSmallestOfMachineAndControlGroupsIsTheLimit() throws IOException {
        write("proc/meminfo", "MemTotal:       16777216 kB\nMemFree: 1 kB\n");
        assertThat(MemoryLimit.detect(root)).isEqualTo(new MemoryLimit(16 * GIB, "the machine's memory"));

        write("proc/self/cgroup", "0::/pod/app\n");
        write("sys/fs/cgroup/pod/memory.max", (2 * GIB) + "\n");
        write("sys/fs/cgroup/pod/app/memory.max", "max\n");
        assertThat(MemoryLimit.detect(root).bytes()).isEqualTo(2 * GIB);
        assertThat(MemoryLimit.detect(root).source()).startsWith("cgroup v2");

        write("sys/fs/cgroup/memory.max", GIB + "\n");
        assertThat(MemoryLimit.detect(root).bytes()).isEqualTo(GIB);
    }

    @Test
    void theFirstGenerationOfControlGroupsIsUnderstood() throws IOException {
        write("proc/meminfo", "MemTotal:       16777216 kB\n");
        write("proc/self/cgroup", "5:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n");
        write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        assertThat(MemoryLimit.detect(root).bytes()).isEqualTo(16 * GIB);
        write("sys/fs/cgroup/memory/memory.limit_in_bytes", (3 * GIB) + "\n"); // a container sees its group as the root
        assertThat(MemoryLimit.detect(root).bytes()).isEqualTo(3 * GIB);
        assertThat(MemoryLimit.detect(root).source()).startsWith("cgroup v1");
    }

    @Test
    void thisMachineHasALimit() {
        assertThat(MemoryLimit.detect().bytes()).isGreaterThan(GIB / 4);
    }

    private void write(String file, String content) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, content);
    }
}
