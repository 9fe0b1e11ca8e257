package io.baton.kv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class KvCacheTest {

    private static final int BLOCK_TOKENS = 16;
    private static final SequenceRoot ROOT = SequenceRoot.of(new byte[32], "", new byte[0], SequenceRoot.LOSSLESS);
    private static final List<BlockHash> PROMPT = chain(1, 6);

    private final RecordingEvents events = new RecordingEvents();
    private final KvCache cache = KvCache.ofCapacity(8, BLOCK_TOKENS, events);

    @AfterEach
    void invariantsHold() {
        cache.checkInvariants();
        assertThat(events.believed).containsExactlyElementsOf(cache.cachedKeys());
    }

    @Test
    void admissionCommitsBlocksAndGrowthTakesThem() {
        BlockLease lease = admit("a", PROMPT, 5);
        assertThat(cache.counts()).isEqualTo(new CacheCounts(8, 8, 0, 0, 5));
        lease.extendTo(3);
        assertThat(cache.counts()).isEqualTo(new CacheCounts(8, 5, 0, 3, 2));
        lease.close();
        lease.close();
        assertThat(cache.counts()).isEqualTo(new CacheCounts(8, 8, 0, 0, 0));
    }

    @Test
    void commitmentsNeverExceedWhatIsFreeOrEvictable() {
        BlockLease first = admit("a", List.of(), 5);
        assertThat(cache.tryAdmit("b", List.of(), 4)).isEmpty();
        BlockLease second = admit("b", List.of(), 3);
        second.extendTo(3);
        first.extendTo(5);
        assertThat(cache.counts().free()).isZero();
    }

    @Test
    void publishedBlocksStayCachedWhenTheirLeaseCloses() {
        cacheLeading(PROMPT, 3);
        assertThat(cache.counts()).isEqualTo(new CacheCounts(8, 5, 3, 0, 0));
        assertThat(cache.cachedPrefixBlocks(PROMPT)).isEqualTo(3);
        assertThat(cache.cachedPrefixBlocks(chain(2, 3))).isZero();
    }

    @Test
    void aMatchedBlockIsHeldAndNoLongerEvictable() {
        cacheLeading(PROMPT, 3);
        BlockLease reuse = admit("b", PROMPT, 6);
        assertThat(reuse.cachedBlocks()).isEqualTo(3);
        assertThat(cache.counts()).isEqualTo(new CacheCounts(8, 5, 0, 3, 3));
        assertThat(cache.tryAdmit("c", List.of(), 3))
                .as("5 free, 3 of them promised")
                .isEmpty();
        admit("c", List.of(), 2).extendTo(2);
        reuse.extendTo(6);
        assertThat(events.believed).hasSize(3);
    }

    @Test
    void theLeastRecentlyHeldLeafIsEvictedFirst() {
        List<BlockHash> other = chain(2, 3);
        cacheLeading(PROMPT, 3);
        cacheLeading(other, 3);
        admit("touch", PROMPT.subList(0, 1), 1).close();
        events.events.clear();
        admit("c", List.of(), 8).extendTo(8);
        assertThat(events.events)
                .containsExactly(
                        "-" + PROMPT.get(2).key(),
                        "-" + PROMPT.get(1).key(),
                        "-" + other.get(2).key(),
                        "-" + other.get(1).key(),
                        "-" + other.get(0).key(),
                        "-" + PROMPT.get(0).key());
    }

    @Test
    void aBlockComputedTwiceStaysPrivateWhileTheFirstIsHeld() {
        BlockLease first = admit("a", PROMPT, 2);
        BlockLease second = admit("b", PROMPT, 3);
        first.extendTo(2);
        second.extendTo(3);
        publish(first, PROMPT, 2);
        int own = second.block(0);
        publish(second, PROMPT, 3);
        assertThat(second.block(0)).isEqualTo(own).isNotEqualTo(first.block(0));
        cache.checkInvariants();
        first.close();
        assertThat(cache.counts())
                .as("b still holds the shared two, its two copies and its third")
                .isEqualTo(new CacheCounts(8, 3, 0, 5, 0));
        second.close();
        assertThat(cache.counts()).isEqualTo(new CacheCounts(8, 5, 3, 0, 0));
    }

    @Test
    void aBlockComputedTwiceReplacesTheFirstWhenNobodyHoldsThat() {
        BlockLease slow = admit("slow", PROMPT, 2);
        slow.extendTo(2);
        cacheLeading(PROMPT, 2);
        BlockLease filler = admit("filler", List.of(), 6);
        publish(slow, PROMPT, 2);
        cache.checkInvariants();
        assertThat(cache.counts()).isEqualTo(new CacheCounts(8, 6, 0, 2, 6));
        filler.extendTo(6);
    }

    @Test
    void blocksComputedByOthersSinceAdmissionAreReused() {
        BlockLease early = admit("early", PROMPT, 5);
        cacheLeading(PROMPT, 3);
        assertThat(early.reuse(PROMPT.subList(0, 2))).isEqualTo(2);
        assertThat(early.reuse(PROMPT)).isEqualTo(1);
        assertThat(cache.counts()).isEqualTo(new CacheCounts(8, 5, 0, 3, 2));
        early.extendTo(4);
        assertThat(early.reuse(PROMPT)).as("its fourth block is its own").isZero();
    }

    @Test
    void aBlockIsPublishedAfterItsParentAndOnlyUnderOneHash() {
        BlockLease lease = admit("a", PROMPT, 3);
        lease.extendTo(3);
        assertThatThrownBy(() -> lease.publish(1, PROMPT.get(1)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("before its parent");
        publish(lease, PROMPT, 1);
        lease.publish(0, PROMPT.get(0));
        assertThatThrownBy(() -> lease.publish(0, PROMPT.get(1)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("visible as");
    }

    @Test
    void aLeaseCannotGrowBeyondItsAdmissionOrAfterItsEnd() {
        BlockLease lease = admit("a", PROMPT, 3);
        assertThatThrownBy(() -> lease.extendTo(4)).hasMessage("a was admitted for 3 blocks, asked for 4");
        lease.close();
        assertThatThrownBy(() -> lease.extendTo(1)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void forksShareBlocksAndGrowOnWhatWasCommittedForThem() {
        BlockLease lease = cache.tryAdmit("a", PROMPT, 3, 2).orElseThrow();
        lease.extendTo(2);
        publish(lease, PROMPT, 1);
        BlockLease fork = lease.fork("a/1", 1, 3);
        assertThat(cache.counts()).isEqualTo(new CacheCounts(8, 6, 0, 2, 3));
        fork.extendTo(3);
        assertThat(fork.block(0)).isEqualTo(lease.block(0));
        assertThat(fork.block(1)).isNotEqualTo(lease.block(1));
        assertThatThrownBy(() -> lease.fork("a/2", 1, 2)).hasMessageContaining("0 committed for forks");
        lease.close();
        cache.checkInvariants();
        assertThat(cache.counts()).isEqualTo(new CacheCounts(8, 5, 0, 3, 0));
        fork.close();
        assertThat(cache.counts()).isEqualTo(new CacheCounts(8, 7, 1, 0, 0));
    }

    @Test
    void holdersAreNamed() {
        BlockLease lease = admit("request 7", PROMPT, 3);
        lease.extendTo(1);
        assertThat(cache.holders()).containsExactly("request 7 (1 blocks, 2 committed)");
    }

    @Test
    void aHolderThatNoLeaseAccountsForIsFound() {
        BlockLease lease = admit("request 7", PROMPT, 3);
        lease.extendTo(1);
        cache.hold(lease.block(0));
        assertThatThrownBy(cache::checkInvariants)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(
                        "block 0 counts 2 holders, but the leases [request 7 (1 blocks, 2 committed)] hold it 1 times");
        cache.drop(lease.block(0));
    }

    @Test
    void theCachedPrefixOfAShorterLeaseIsCutToItsLength() {
        cacheLeading(PROMPT, 3);
        BlockLease lease = admit("b", PROMPT, 2);
        assertThat(lease.cachedBlocks()).isEqualTo(2);
    }

    private BlockLease admit(String owner, List<BlockHash> reusable, int totalBlocks) {
        return cache.tryAdmit(owner, reusable, totalBlocks).orElseThrow();
    }

    private void cacheLeading(List<BlockHash> hashes, int blocks) {
        try (BlockLease lease = admit("cached", List.of(), blocks)) {
            lease.extendTo(blocks);
            publish(lease, hashes, blocks);
        }
    }

    private static void publish(BlockLease lease, List<BlockHash> hashes, int blocks) {
        for (int i = 0; i < blocks; i++) {
            lease.publish(i, hashes.get(i));
        }
    }

    private static List<BlockHash> chain(int firstToken, int blocks) {
        return BlockChain.of(
                ROOT,
                IntStream.range(firstToken, firstToken + blocks * BLOCK_TOKENS).toArray(),
                BLOCK_TOKENS);
    }
}
