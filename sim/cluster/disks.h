#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "disk/device.h"
#include "log/log_write.h"
#include "node/durable_image.h"
#include "node/node.h"

// The disks of a process, and what it has asked them to write and has not yet heard of.
//
// The devices belong to the machine and outlive the process; what is pending dies with it.
namespace sim::cluster {

// The devices of a process's log directories, in their order.
class Disks {
 public:
  explicit Disks(std::vector<disk::Device> devices) : devices_(std::move(devices)) {}

  bool are_several() const { return devices_.size() > 1; }
  std::int32_t count() const { return static_cast<std::int32_t>(devices_.size()); }
  disk::Device& device(std::int32_t directory) { return devices_[static_cast<std::size_t>(directory)]; }

  // One of them has been broken or full, so each write must be looked at.
  void reseed(std::string_view name) {
    for (disk::Device& device : devices_) device.reseed(name);
  }
  bool had_trouble() const { return had_trouble_; }
  void note_trouble() { had_trouble_ = true; }
  std::uint32_t broken() const;  // bit N: that of directory N

  // All of them go on together: what is asked for later begins no earlier on any of these (bit N: directory
  // N).
  void wait_until(std::uint32_t directories, Instant at);

 private:
  std::vector<disk::Device> devices_;
  bool had_trouble_ = false;
};

class PendingWrites {
 public:
  // What has become of a write that is over.
  struct Done {
    node::PersistId id;
    bool frees_io_thread = false;
    std::uint32_t failed_directories = 0;
  };
  // How far one is whose time has come up.
  enum class Progress : std::uint8_t { must_be_flushed, over };

  struct Begun {
    std::uint32_t index = 0;  // names it until it is over
    Instant done;             // its time comes up then
    std::int64_t bytes = 0;
  };
  Begun begin(node::Persist& persist, Disks& disks, node::DurableImage& image, Instant now);
  Begun begin(const node::Scan& scan, Disks& disks, Instant now);

  // The handler's thread waits for this one now, and no more for the one it was to wait for.
  void wait_for(std::uint32_t index, std::optional<std::uint32_t> no_more_for);

  // The machine has done what was asked for: the image holds it. Gives out the directory of each write that
  // failed.
  void perform(std::uint32_t index, Disks& disks, node::DurableImage& image, Instant now,
               std::vector<std::int32_t>& failed);
  Progress progress(std::uint32_t index) const;
  // Asks for the flush; done at the time returned.
  Instant flush(std::uint32_t index, Disks& disks, node::DurableImage& image, Instant now);
  Done finish(std::uint32_t index);

  bool has(node::PersistId id) const;
  // Whose process has not heard yet that they were written.
  std::vector<node::PersistId> performed() const;

 private:
  struct Write {
    enum class Stage : std::uint8_t { writing, written, flushing, done };
    node::PersistId id;
    std::vector<log::LogWrite> writes;
    node::Safety safety = node::Safety::written;
    bool occupies_io_thread = false;
    bool pending = false;
    Stage stage = Stage::writing;
    std::uint32_t failed_directories = 0;                    // bit N: that numbered N
    std::vector<std::pair<TopicPartition, Offset>> flushes;  // what the flush under way makes safe
  };

  std::uint32_t new_write();
  static std::int32_t place(const log::LogWrite& write, node::DurableImage& image);
  static bool fails(Write& write, std::int32_t directory, bool appends, Disks& disks,
                    std::vector<std::int32_t>& failed);
  static void note_flushes(Write& pending, const node::DurableImage& image);
  void forget_flushes(const log::LogWrite& write);

  std::vector<Write> writes_;
  std::vector<std::uint32_t> free_;
};

}  // namespace sim::cluster
