#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "metadata/metadata_image.h"
#include "protocol/ids.h"

// What groups of KIP-848 want to know of the topics there are: names, ids, how many partitions. Made from the
// metadata image, in order of name.
namespace sim::group {

class TopicCatalog {
 public:
  struct Topic {
    std::string name;
    TopicId id = kNoTopic;
    std::int32_t partitions = 0;
    // Of its name, id, partitions and the racks of their replicas: what an assignment may rest on
    // (Utils.computeTopicHash).
    std::uint64_t hash = 0;
  };

  TopicCatalog() = default;
  explicit TopicCatalog(const metadata::MetadataImage& image);

  const std::vector<Topic>& topics() const { return topics_; }
  // Grows with every topic that is created.
  TopicId next_topic_id() const { return next_topic_id_; }
  const Topic* find(std::string_view name) const {
    const auto it = std::lower_bound(topics_.begin(), topics_.end(), name,
                                     [](const Topic& one, std::string_view want) { return one.name < want; });
    return it == topics_.end() || it->name != name ? nullptr : &*it;
  }
  const Topic* find(TopicId id) const {
    const auto it =
        std::find_if(topics_.begin(), topics_.end(), [id](const Topic& one) { return one.id == id; });
    return it == topics_.end() ? nullptr : &*it;
  }

  // Of the topics that exist among these: another number as soon as anything about them has changed
  // (Utils.computeGroupHash). 0: none exists.
  std::uint64_t hash_of(const std::vector<std::string>& names) const;

 private:
  std::vector<Topic> topics_;
  TopicId next_topic_id_{0};
};

}  // namespace sim::group
