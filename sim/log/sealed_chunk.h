#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "protocol/record_batch.h"

// A stretch of old batches, encoded: a record of a log of millions takes a few bytes, and copies of a log
// share its chunks, which never change. A batch that is read comes out as a fresh object, equal to the one
// that went in.
//
// Each field is a variable-length difference to its neighbour before, so a chunk is read from its start.
// Batches of usual shape are encoded: application records of a producer, offset commits. Others (control
// batches, a transaction's offset commits, group and cluster metadata) are few, and kept as they are.
namespace sim::log {

class SealedChunk {
 public:
  // REQUIRES: first != last, in order of offset
  static std::shared_ptr<const SealedChunk> seal(const Batch* first, const Batch* last);

  Offset start_offset() const { return start_; }
  Offset end_offset() const { return end_; }
  std::size_t size() const { return batches_; }
  std::int64_t size_bytes() const { return size_bytes_; }  // of the batches, on the wire
  std::int64_t max_timestamp_ms() const { return max_timestamp_ms_; }
  std::size_t memory_bytes() const;

  std::vector<Batch> unseal() const;

 private:
  friend class SealedReader;
  friend class SealedWriter;

  Offset start_ = 0;
  Offset end_ = 0;
  std::size_t batches_ = 0;
  std::int64_t size_bytes_ = 0;
  std::int64_t max_timestamp_ms_ = 0;
  std::vector<std::uint8_t> bytes_;
  std::vector<std::string> groups_;  // named by offset commits
  std::vector<BatchDataPtr> kept_;   // of unusual shape, in order
};
using SealedChunkPtr = std::shared_ptr<const SealedChunk>;

// What the next batch's fields are told against.
struct SealedNeighbour {
  Offset end_offset = 0;
  LeaderEpoch leader_epoch{0};
  ProducerId producer_id = kNoProducerId;
  ProducerEpoch producer_epoch = kNoProducerEpoch;
  std::int32_t next_sequence = -1;
  std::int64_t timestamp_ms = 0;
  Record record;
  OffsetCommitRecord commit;
};

// Goes through a chunk: look at the head of a batch, then take it or skip it.
class SealedReader {
 public:
  struct Head {
    Offset base_offset = 0;
    Offset end_offset = 0;
    std::int32_t size_bytes = 0;
  };

  // `chunk` must outlive the reader.
  explicit SealedReader(const SealedChunk& chunk);

  bool done() const { return left_ == 0; }
  const Head& head() const { return head_; }  // REQUIRES: !done()
  Batch take();
  void skip();

 private:
  std::uint64_t unsigned_number();
  std::int64_t number();
  void read_head();
  void read_contents(BatchData* data);
  void read_application(BatchData* data);
  void read_commits(BatchData* data);

  const SealedChunk& chunk_;
  const std::uint8_t* at_;
  std::size_t left_;
  std::size_t next_kept_ = 0;
  SealedNeighbour before_;
  Head head_;
  std::uint8_t flags_ = 0;
  std::int32_t record_count_ = 0;
};

}  // namespace sim::log
