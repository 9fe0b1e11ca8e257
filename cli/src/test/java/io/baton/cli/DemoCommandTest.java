package io.baton.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.testing.SharedFiles;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class DemoCommandTest {

    @Test
    void theDemoHandsOverBlocksAndTheSecondPromptFindsTheFirstOneCached() {
        BatonUnderTest baton = BatonUnderTest.plain();
        int code = baton.run(
                "demo",
                "--block-tokens=16",
                "--max-tokens=24",
                "--pool-bytes=8MiB",
                "--kernels=scalar",
                "--log-level=error");
        assertThat(baton.err()).doesNotContain("no KV block");
        assertThat(code).isZero();
        assertThat(baton.out())
                .containsPattern("(?m)^gateway grpc 127\\.0\\.0\\.1:\\d+$")
                .containsPattern("(?m)^prefill grpc 127\\.0\\.0\\.1:\\d+$")
                .containsPattern("(?m)^decode grpc 127\\.0\\.0\\.1:\\d+$")
                .containsPattern("(?m)^This is the story of Tom.+")
                .containsPattern("time to first token +[0-9.]+ ms")
                .containsPattern("received from the prefill node +[1-9]\\d* blocks, [1-9][0-9,]* bytes")
                .containsPattern("prompt tokens from the cache +0 of 111")
                .containsPattern("prompt tokens from the cache +[1-9]\\d* of 1[34]\\d");
    }

    @Test
    void asItComesTheFirstPromptFillsThreeBlocksAndMore() {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(baton.run("demo", "--max-tokens=4", "--pool-bytes=8MiB", "--log-level=error"))
                .isZero();
        assertThat(baton.out())
                .containsPattern("received from the prefill node +4 blocks, ")
                .containsPattern("prompt tokens from the cache +0 of 111")
                .containsPattern("prompt tokens from the cache +96 of 11\\d");
    }

    @Test
    void aTrainedModelTellsItsStory() {
        Path stories = SharedFiles.stories260K("stories260K-f32.gguf");
        BatonUnderTest baton = BatonUnderTest.plain();
        int code = baton.run(
                "demo",
                "--model",
                stories.toString(),
                "--kv-dtype=f32",
                "--prompt=Once upon a time",
                "--pool-bytes=16MiB",
                "--log-level=error",
                "--max-tokens=32");
        assertThat(code).isZero();
        assertThat(baton.out())
                .contains(
                        "Once upon a time, there was a little girl named Lily. She loved to play outside in the park.");
    }
}
