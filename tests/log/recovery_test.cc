// What a crash leaves of a log, and what its loading makes of that.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "base/rng.h"
#include "log/log_image.h"
#include "log/partition_log.h"
#include "log/test_batches.h"

namespace sim::log {
namespace {

constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();
const TopicPartition kTp{TopicId{1}, 0};

TEST_CASE("the epoch file is synced before the log is: it may tell of more, until the log is loaded") {
  LogImage image;
  image.perform(AppendBatch{kTp, test::batch_of(0, LeaderEpoch{0}, 5, 10)});
  image.flush();
  image.perform(NoteLeaderEpoch{kTp, LeaderEpoch{2}, 5});
  image.perform(AppendBatch{kTp, test::batch_of(5, LeaderEpoch{2}, 5, 10)});
  image.perform(CheckpointHighWatermark{kTp, 10});
  CHECK_FALSE(image.has_too_much());
  image.lose_unflushed();
  CHECK(image.end_offset() == 5);
  CHECK(image.epochs.back() == EpochStart{LeaderEpoch{2}, 5});
  CHECK(image.has_too_much());
  image.recover();
  CHECK(image.epochs == std::vector<EpochStart>{{LeaderEpoch{0}, 0}});
  CHECK(image.high_watermark == 5);
}

TEST_CASE("an epoch that was noted and not yet written in survives a power loss that takes nothing else") {
  LogImage image;
  image.perform(AppendBatch{kTp, test::batch_of(0, LeaderEpoch{0}, 5, 10)});
  image.perform(AppendBatch{kTp, test::batch_of(5, LeaderEpoch{0}, 5, 10)});
  image.perform(NoteLeaderEpoch{kTp, LeaderEpoch{3}, 5});  // of an election after a truncation to 5
  CHECK(image.epochs == std::vector<EpochStart>{{LeaderEpoch{0}, 0}, {LeaderEpoch{3}, 5}});
}

TEST_CASE("what is read after a crash begins with the segment that holds the recovery point") {
  LogImage image;
  std::vector<std::int64_t> sizes;
  for (Offset base = 0; base < 30; base += 10) {
    const Batch batch = test::batch_of(base, LeaderEpoch{0}, 10, 100);
    sizes.push_back(batch.size_bytes());
    image.perform(AppendBatch{kTp, batch});
    if (base > 0) image.perform(RollSegment{kTp, base});
  }
  struct Row {
    Offset recovery_point;
    std::int64_t want;
  };
  const std::int64_t last = sizes[2];
  const Row rows[] = {
      {0, sizes[0] + sizes[1] + last},
      {9, sizes[0] + sizes[1] + last},
      {10, sizes[1] + last},
      {19, sizes[1] + last},
      {20, last},
      {30, last},
  };
  for (const Row& row : rows) {
    CAPTURE(row.recovery_point);
    image.perform(CheckpointRecoveryPoint{kTp, row.recovery_point});
    CHECK(image.bytes_to_recover() == row.want);
  }
  image.perform(TruncateLog{kTp, 10});
  CHECK(image.recovery_point == 10);  // LogManager.truncateTo writes it down
}

TEST_CASE("a torn tail: some batches more than were flushed, then a part of one") {
  LogImage written;
  for (Offset base = 0; base < 100; base += 10) {
    written.perform(AppendBatch{kTp, test::batch_of(base, LeaderEpoch{0}, 10, 100)});
    if (base == 30) written.flush();
  }
  const std::int64_t batch = test::batch_of(0, LeaderEpoch{0}, 10, 100).size_bytes();
  Rng rng(1, "tail");
  std::vector<Offset> ends;
  std::int64_t broken = 0;
  for (int i = 0; i < 200; ++i) {
    LogImage image = written;
    image.lose_unflushed(&rng);
    ends.push_back(image.end_offset());
    CHECK(image.end_offset() >= 40);
    CHECK(image.end_offset() < 100);  // it is cut somewhere
    CHECK(image.torn_bytes < batch);
    CHECK(image.flushed_end_offset == image.end_offset());
    CHECK(image.bytes_to_recover() == image.end_offset() / 10 * batch + image.torn_bytes);
    broken += image.torn_bytes > 0 ? 1 : 0;
    CHECK(image.has_too_much() == (image.torn_bytes > 0));
    image.recover();
    CHECK(image.torn_bytes == 0);
    CHECK(PartitionLog(image).log_end_offset() == ends.back());
  }
  CHECK(std::count(ends.begin(), ends.end(), 40) > 10);
  CHECK(std::count(ends.begin(), ends.end(), 90) > 10);
  CHECK(broken > 150);
}

TEST_CASE(
    "a log that starts later has deleted what lay before, and a log that was reset goes on from there") {
  LogImage image;
  for (Offset base = 0; base < 40; base += 10) {
    image.perform(AppendBatch{kTp, test::batch_of(base, LeaderEpoch{base < 20 ? 0 : 1}, 10, 100)});
    if (base > 0) image.perform(RollSegment{kTp, base});
  }
  image.perform(RaiseLogStart{kTp, 25});
  CHECK(image.start_offset == 25);
  CHECK(image.epochs == std::vector<EpochStart>{{LeaderEpoch{1}, 25}});
  CHECK(image.segment_bases == std::vector<Offset>{30});
  image.lose_unflushed();  // nothing was ever flushed: an empty log, which starts where it did
  CHECK(image.end_offset() == 25);
  image.perform(ResetLog{kTp, 70});
  image.recover();
  const PartitionLog log(image);
  CHECK(log.log_start_offset() == 70);
  CHECK(log.log_end_offset() == 70);
  CHECK(log.recovery_point() == 70);
}

// ---- Anything that may happen to a log, and a power loss in between

class Story {
 public:
  explicit Story(std::uint64_t seed) : rng_(seed, "story") {}

  void play(int steps) {
    for (int i = 0; i < steps; ++i) {
      step();
      check();
    }
  }
  int losses = 0;   // that took something
  int rescues = 0;  // that a torn tail left something of which was not flushed

 private:
  void step() {
    switch (rng_.below(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4: return append();
      case 5: return flush();
      case 6: return become_leader();
      case 7: return truncate();
      case 8:
        return image_.perform(CheckpointHighWatermark{
            kTp, image_.start_offset + static_cast<Offset>(rng_.below(static_cast<std::uint64_t>(
                                           image_.end_offset() - image_.start_offset + 1)))});
      case 9: return image_.perform(CheckpointRecoveryPoint{kTp, flushed_});
      case 10: return raise_start();
      default: return lose_power();
    }
  }
  void append() {
    if (rng_.below(4) == 0 && !image_.batches.empty()) image_.perform(RollSegment{kTp, image_.end_offset()});
    const Batch batch =
        test::batch_of(image_.end_offset(), epoch_, static_cast<std::int32_t>(rng_.between(1, 5)), 50);
    image_.perform(AppendBatch{kTp, batch});
    written_.push_back(batch);
  }
  void flush() {
    image_.flushed_to(image_.end_offset());
    flushed_ = image_.end_offset();
  }
  void become_leader() {
    epoch_ = LeaderEpoch{epoch_.value() + 1};
    if (image_.end_offset() > 0) image_.perform(NoteLeaderEpoch{kTp, epoch_, image_.end_offset()});
  }
  void cut(Offset end) {
    while (!written_.empty() && written_.back().base_offset >= end) written_.pop_back();
    flushed_ = std::min(flushed_, end);
  }
  void truncate() {
    if (written_.empty()) return;
    const Offset end = written_[static_cast<std::size_t>(rng_.below(written_.size()))].base_offset;
    image_.perform(TruncateLog{kTp, end});
    cut(end);
    epoch_ = LeaderEpoch{epoch_.value() + 1};  // whoever truncates follows a newer leader
  }
  void raise_start() {
    if (written_.empty()) return;
    const Offset start = written_[static_cast<std::size_t>(rng_.below(written_.size()))].base_offset;
    image_.perform(RaiseLogStart{kTp, start});
    while (!written_.empty() && written_.front().base_offset < start) written_.erase(written_.begin());
    flushed_ = std::max(flushed_, start);
  }
  void lose_power() {
    const Offset before = image_.end_offset();
    const bool torn = rng_.below(2) == 0;
    image_.lose_unflushed(torn ? &rng_ : nullptr);
    REQUIRE(image_.end_offset() >= flushed_);
    if (!torn) REQUIRE(image_.end_offset() == std::max(flushed_, image_.start_offset));
    losses += image_.end_offset() < before ? 1 : 0;
    rescues += image_.end_offset() > flushed_ ? 1 : 0;
    image_.recover();
    cut(image_.end_offset());
    flushed_ = image_.end_offset();  // what is on the platter stays there
    epoch_ = LeaderEpoch{epoch_.value() + 1};
  }

  void check() const {
    const PartitionLog log(image_);
    REQUIRE(log.log_start_offset() <= log.log_end_offset());
    REQUIRE(log.recovery_point() <= log.log_end_offset());
    const std::vector<Batch> found = log.read(log.log_start_offset(), log.log_end_offset(), kAll, false);
    REQUIRE(found.size() == written_.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      REQUIRE(found[i].base_offset == written_[i].base_offset);
      REQUIRE(found[i].leader_epoch == written_[i].leader_epoch);
      REQUIRE(epoch_at(found[i].base_offset) == found[i].leader_epoch);
    }
    for (const Offset base : image_.segment_bases) {
      REQUIRE(base > image_.start_offset);
      REQUIRE(base <= image_.end_offset());  // cut at its base, a segment stays (LocalLog.truncateTo)
    }
  }
  LeaderEpoch epoch_at(Offset offset) const {
    LeaderEpoch found = kNoLeaderEpoch;
    for (const EpochStart& entry : image_.epochs) {
      if (entry.start_offset <= offset) found = entry.leader_epoch;
    }
    return found;
  }

  Rng rng_;
  LogImage image_;
  std::vector<Batch> written_;
  Offset flushed_ = 0;
  LeaderEpoch epoch_{0};
};

TEST_CASE(
    "what was flushed is never lost, and log, epochs, segments and recovery point agree after every boot") {
  int losses = 0;
  int rescues = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    Story story(seed);
    story.play(150);
    losses += story.losses;
    rescues += story.rescues;
  }
  CHECK(losses > 300);
  CHECK(rescues > 100);
}

}  // namespace
}  // namespace sim::log
