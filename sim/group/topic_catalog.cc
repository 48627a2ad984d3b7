#include "group/topic_catalog.h"

namespace sim::group {

namespace {

// FNV-1a; Kafka takes another function, whose values nobody compares with anything else either.
class TopicHash {
 public:
  void add(std::string_view text) {
    for (const char letter : text) mix(static_cast<unsigned char>(letter));
    mix(0);
  }
  void add(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) mix((number >> shift) & 0xFF);
  }
  std::uint64_t value() const { return value_; }

 private:
  void mix(std::uint64_t byte) { value_ = (value_ ^ byte) * 0x100000001B3ull; }
  std::uint64_t value_ = 0xCBF29CE484222325ull;
};

}  // namespace

TopicCatalog::TopicCatalog(const metadata::MetadataImage& image) : next_topic_id_(image.next_topic_id()) {
  topics_.reserve(image.topics().size());
  for (const auto& [id, topic] : image.topics()) {
    TopicHash hash;
    hash.add(topic->name);
    hash.add(static_cast<std::uint64_t>(id.value()));
    hash.add(topic->partitions.size());
    for (const metadata::PartitionRegistration& partition : topic->partitions) {
      std::vector<std::string> racks;
      for (const NodeId replica : partition.replicas) {
        const metadata::BrokerRegistration* broker = image.broker(replica);
        if (broker != nullptr && !broker->rack.empty()) racks.push_back(broker->rack);
      }
      std::sort(racks.begin(), racks.end());
      for (const std::string& rack : racks) hash.add(rack);
      hash.add(racks.size());
    }
    topics_.push_back(
        Topic{topic->name, id, static_cast<std::int32_t>(topic->partitions.size()), hash.value()});
  }
  std::sort(topics_.begin(), topics_.end(), [](const Topic& a, const Topic& b) { return a.name < b.name; });
}

std::uint64_t TopicCatalog::hash_of(const std::vector<std::string>& names) const {
  TopicHash hash;
  bool any = false;
  for (const std::string& name : names) {
    const Topic* topic = find(name);
    if (topic == nullptr) continue;
    any = true;
    hash.add(topic->hash);
  }
  return any ? hash.value() : 0;
}

}  // namespace sim::group
