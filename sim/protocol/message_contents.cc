#include "protocol/message_contents.h"

#include <algorithm>
#include <concepts>
#include <type_traits>
#include <utility>
#include <variant>

namespace sim {
namespace {

template <class M>
concept HasPartitionEntries = requires(const M& message) {
  { message.partitions.front().tp } -> std::convertible_to<TopicPartition>;
};
template <class M>
concept ListsPartitions = requires(const M& message) {
  { message.partitions.front() } -> std::convertible_to<TopicPartition>;
};
template <class M>
concept HasError = requires(const M& message) {
  { message.error } -> std::convertible_to<ErrorCode>;
};
template <class M>
concept HasNamedPartitions = requires(const M& message) {
  { message.partitions.front().partition } -> std::convertible_to<NamedPartition>;
  { message.partitions.front().error } -> std::convertible_to<ErrorCode>;
};
template <class M>
concept HasTopicErrors = requires(const M& message) {
  { message.topics.front().name } -> std::convertible_to<std::string>;
  { message.topics.front().error } -> std::convertible_to<ErrorCode>;
};

bool lists(const std::vector<TopicPartition>& partitions, TopicPartition tp) {
  return std::find(partitions.begin(), partitions.end(), tp) != partitions.end();
}
template <class Entry>
bool lists(const std::vector<Entry>& entries, TopicPartition tp) {
  return std::any_of(entries.begin(), entries.end(), [tp](const Entry& entry) { return entry.tp == tp; });
}

}  // namespace

bool names_partition(const Message& message, TopicPartition tp) {
  return std::visit(
      [tp](const auto& one) {
        using M = std::decay_t<decltype(one)>;
        if constexpr (HasPartitionEntries<M>) {
          return std::any_of(one.partitions.begin(), one.partitions.end(),
                             [tp](const auto& entry) { return entry.tp == tp; });
        } else if constexpr (ListsPartitions<M>) {
          return std::find(one.partitions.begin(), one.partitions.end(), tp) != one.partitions.end();
        } else if constexpr (std::is_same_v<M, AddPartitionsToTxnRequest> ||
                             std::is_same_v<M, AddPartitionsToTxnResponse>) {
          return std::any_of(one.transactions.begin(), one.transactions.end(),
                             [tp](const auto& transaction) { return lists(transaction.partitions, tp); });
        } else if constexpr (std::is_same_v<M, WriteTxnMarkersRequest> ||
                             std::is_same_v<M, WriteTxnMarkersResponse>) {
          return std::any_of(one.markers.begin(), one.markers.end(),
                             [tp](const auto& marker) { return lists(marker.partitions, tp); });
        } else {
          return false;
        }
      },
      static_cast<const AnyMessage&>(message));
}

std::vector<SaidError> errors_of(const Message& response) {
  std::vector<SaidError> errors;
  const auto add = [&errors](SaidError said) {
    if (said.error != ErrorCode::none) errors.push_back(std::move(said));
  };
  std::visit(
      [&add](const auto& one) {
        using M = std::decay_t<decltype(one)>;
        if constexpr (HasError<M>) add({{}, {}, one.error});
        if constexpr (HasPartitionEntries<M>) {
          using PartitionEntry = std::decay_t<decltype(one.partitions.front())>;
          if constexpr (HasError<PartitionEntry>) {
            for (const auto& entry : one.partitions) add({entry.tp, {}, entry.error});
          }
        }
        if constexpr (HasNamedPartitions<M>) {
          for (const auto& entry : one.partitions)
            add({{}, entry.partition.topic + "-" + std::to_string(entry.partition.partition), entry.error});
        }
        if constexpr (HasTopicErrors<M>) {
          for (const auto& topic : one.topics) add({{}, topic.name, topic.error});
        }
        if constexpr (std::is_same_v<M, AddPartitionsToTxnResponse>) {
          for (const AddPartitionsToTxnResponse::Transaction& transaction : one.transactions) {
            for (const AddPartitionsToTxnResponse::Partition& partition : transaction.partitions)
              add({partition.tp, {}, partition.error});
          }
        }
        if constexpr (std::is_same_v<M, WriteTxnMarkersResponse>) {
          for (const WriteTxnMarkersResponse::Marker& marker : one.markers) {
            for (const WriteTxnMarkersResponse::Partition& partition : marker.partitions)
              add({partition.tp, {}, partition.error});
          }
        }
        if constexpr (std::is_same_v<M, MetadataResponse>) {
          for (const MetadataResponse::Topic& topic : one.topics) {
            for (const MetadataResponse::Partition& partition : topic.partitions)
              add({TopicPartition{topic.id, partition.index}, {}, partition.error});
          }
        }
      },
      static_cast<const AnyMessage&>(response));
  return errors;
}

}  // namespace sim
