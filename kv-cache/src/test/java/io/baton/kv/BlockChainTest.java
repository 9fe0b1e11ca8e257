package io.baton.kv;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BlockChainTest {

    private static final SequenceRoot ROOT = SequenceRoot.of(new byte[32], "", new byte[0], SequenceRoot.LOSSLESS);

    @Test
    void onlyWholeBlocksHaveAHash() {
        assertThat(BlockChain.of(ROOT, new int[15], 16)).isEmpty();
        assertThat(BlockChain.of(ROOT, new int[16], 16)).hasSize(1);
        assertThat(BlockChain.of(ROOT, new int[33], 16)).hasSize(2);
    }

    @Test
    void aChangedTokenChangesItsBlockAndEveryLaterOne() {
        int[] tokens = IntStream.range(0, 64).toArray();
        List<BlockHash> before = BlockChain.of(ROOT, tokens, 16);
        tokens[20] = 99;
        List<BlockHash> after = BlockChain.of(ROOT, tokens, 16);
        assertThat(after.get(0)).isEqualTo(before.get(0));
        assertThat(after.subList(1, 4)).doesNotContainAnyElementsOf(before);
    }

    @Test
    void aDifferentSaltAdapterOrEncodingNeverSharesABlock() {
        int[] tokens = new int[16];
        assertThat(List.of(
                        BlockChain.of(ROOT, tokens, 16).getFirst(),
                        BlockChain.of(
                                        SequenceRoot.of(new byte[32], "", new byte[32], SequenceRoot.LOSSLESS),
                                        tokens,
                                        16)
                                .getFirst(),
                        BlockChain.of(
                                        SequenceRoot.of(new byte[32], "a", new byte[0], SequenceRoot.LOSSLESS),
                                        tokens,
                                        16)
                                .getFirst(),
                        BlockChain.of(SequenceRoot.of(new byte[32], "", new byte[0], "q8"), tokens, 16)
                                .getFirst()))
                .doesNotHaveDuplicates();
    }

    @Test
    void aCopyGoesOnByItself() {
        int[] tokens = IntStream.range(0, 64).toArray();
        BlockChain chain = new BlockChain(ROOT, 16);
        IntStream.range(0, 37).forEach(chain::append);
        BlockChain copy = new BlockChain(chain);
        IntStream.range(37, 64).forEach(copy::append);
        assertThat(copy.hashes()).isEqualTo(BlockChain.of(ROOT, tokens, 16));
        assertThat(chain.hashes()).hasSize(2);
    }

    @Test
    void theLastTokenOfAPromptIsNeverReused() {
        assertThat(BlockChain.reusableBlocks(0, 16)).isZero();
        assertThat(BlockChain.reusableBlocks(16, 16)).isZero();
        assertThat(BlockChain.reusableBlocks(17, 16)).isEqualTo(1);
        assertThat(BlockChain.reusableBlocks(33, 16)).isEqualTo(2);
    }
}
