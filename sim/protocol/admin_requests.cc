#include "protocol/admin_requests.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "base/overloaded.h"

namespace sim {
namespace {

template <class M>
concept SaysOfPartitions =
    std::is_same_v<M, ElectLeadersResponse> || std::is_same_v<M, AlterPartitionReassignmentsResponse>;
template <class M>
concept SaysOfTopics =
    std::is_same_v<M, DeleteTopicsResponse> || std::is_same_v<M, IncrementalAlterConfigsResponse> ||
    std::is_same_v<M, CreatePartitionsResponse> || std::is_same_v<M, CreateTopicsResponse>;

std::string text_of(const NamedPartition& partition) {
  return partition.topic + "-" + std::to_string(partition.partition);
}

template <SaysOfPartitions Response, class Request>
Response refuse_partitions(const Request& request, ErrorCode error) {
  Response response;
  response.error = error;
  for (const auto& one : request.partitions) {
    if constexpr (std::is_same_v<Request, ElectLeadersRequest>) {
      response.partitions.push_back({one, error});
    } else {
      response.partitions.push_back({one.partition, error});
    }
  }
  return response;
}

}  // namespace

Message message_of(AdminRequest request) {
  return std::visit([](auto& one) { return Message(std::move(one)); }, request);
}

std::optional<AdminRequest> admin_request_of(const Message& message) {
  return std::visit(
      [](const auto& one) -> std::optional<AdminRequest> {
        if constexpr (std::is_constructible_v<AdminRequest, decltype(one)>) {
          return AdminRequest(one);
        } else {
          return std::nullopt;
        }
      },
      static_cast<const AnyMessage&>(message));
}

Message error_response(const AdminRequest& request, ErrorCode error) {
  return std::visit(Overloaded{
                        [&](const ElectLeadersRequest& one) {
                          return Message(refuse_partitions<ElectLeadersResponse>(one, error));
                        },
                        [&](const AlterPartitionReassignmentsRequest& one) {
                          return Message(refuse_partitions<AlterPartitionReassignmentsResponse>(one, error));
                        },
                        [&](const DeleteTopicsRequest& one) {
                          DeleteTopicsResponse response;
                          for (const std::string& topic : one.topics)
                            response.topics.push_back({topic, error});
                          return Message(std::move(response));
                        },
                        [&](const IncrementalAlterConfigsRequest& one) {
                          IncrementalAlterConfigsResponse response;
                          for (const auto& topic : one.topics) response.topics.push_back({topic.name, error});
                          return Message(std::move(response));
                        },
                        [&](const CreateTopicsRequest& one) {
                          CreateTopicsResponse response;
                          for (const auto& topic : one.topics) response.topics.push_back({topic.name, error});
                          return Message(std::move(response));
                        },
                        [&](const CreatePartitionsRequest& one) {
                          CreatePartitionsResponse response;
                          for (const auto& topic : one.topics) response.topics.push_back({topic.name, error});
                          return Message(std::move(response));
                        },
                    },
                    request);
}

bool is_admin_response(const Message& response) {
  return std::visit(
      [](const auto& one) {
        using M = std::decay_t<decltype(one)>;
        return SaysOfPartitions<M> || SaysOfTopics<M>;
      },
      static_cast<const AnyMessage&>(response));
}

Message with_errors(const Message& response, ErrorCode error) {
  return std::visit(
      [error](auto one) -> Message {
        using M = decltype(one);
        if constexpr (SaysOfPartitions<M>) {
          one.error = error;
          for (auto& partition : one.partitions) partition.error = error;
        } else if constexpr (SaysOfTopics<M>) {
          for (auto& topic : one.topics) topic.error = error;
        } else {
          SIM_CHECK(false, "an administrator is answered otherwise");
        }
        return Message(std::move(one));
      },
      static_cast<const AnyMessage&>(response));
}

std::vector<AdminResult> results_of(const Message& response) {
  std::vector<AdminResult> results;
  std::visit(
      [&results](const auto& one) {
        using M = std::decay_t<decltype(one)>;
        if constexpr (SaysOfPartitions<M>) {
          for (const auto& partition : one.partitions)
            results.push_back({text_of(partition.partition), partition.error});
          if (one.error != ErrorCode::none && results.empty()) results.push_back({"", one.error});
        } else if constexpr (SaysOfTopics<M>) {
          for (const auto& topic : one.topics) results.push_back({topic.name, topic.error});
        }
      },
      static_cast<const AnyMessage&>(response));
  return results;
}

bool admin_response_says(const Message& response, ErrorCode error) {
  const std::vector<AdminResult> results = results_of(response);
  return std::any_of(results.begin(), results.end(),
                     [error](const AdminResult& one) { return one.error == error; });
}

}  // namespace sim
