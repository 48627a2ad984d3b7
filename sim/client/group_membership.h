#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "client/consumer_coordinator.h"
#include "client/consumer_membership.h"

// A consumer's membership in its group, by whichever protocol group.protocol names. What its parts do is said
// in ConsumerCoordinator (classic) and ConsumerMembership (consumer, KIP-848).
namespace sim::client {

class GroupMembership {
 public:
  using CommitOffsets = ConsumerCoordinator::CommitOffsets;
  using PollOutcome = ConsumerCoordinator::PollOutcome;
  using Progress = ConsumerCoordinator::Progress;

  explicit GroupMembership(const ConsumerConfig& config)
      : either_(std::in_place_type<ConsumerCoordinator>, config) {
    if (config.group_protocol == GroupProtocol::consumer) either_.emplace<ConsumerMembership>(config);
  }

  // Null: the other protocol is spoken.
  const ConsumerCoordinator* classic() const { return std::get_if<ConsumerCoordinator>(&either_); }
  const ConsumerMembership* consumer() const { return std::get_if<ConsumerMembership>(&either_); }

  void start(std::vector<std::string> topics, LocalTime now) {
    std::visit([&](auto& one) { one.start(std::move(topics), now); }, either_);
  }
  PollOutcome poll(ConsumerContext& context) {
    return std::visit([&](auto& one) { return one.poll(context); }, either_);
  }
  PollOutcome init_with_committed_offsets(ConsumerContext& context) {
    return std::visit([&](auto& one) { return one.init_with_committed_offsets(context); }, either_);
  }
  void commit_sync(CommitOffsets offsets, Duration timeout, ConsumerContext& context) {
    std::visit([&](auto& one) { one.commit_sync(std::move(offsets), timeout, context); }, either_);
  }
  bool commit_sync_under_way() const {
    return std::visit([](const auto& one) { return one.commit_sync_under_way(); }, either_);
  }
  std::optional<CommitError> take_commit_sync_result() {
    return std::visit([](auto& one) { return one.take_commit_sync_result(); }, either_);
  }
  void commit_async(CommitOffsets offsets, ConsumerContext& context) {
    std::visit([&](auto& one) { one.commit_async(std::move(offsets), context); }, either_);
  }
  std::vector<CommitError> take_async_results() {
    return std::visit([](auto& one) { return one.take_async_results(); }, either_);
  }
  bool on_completion(ConsumerNetwork::Completion& completion, ConsumerContext& context) {
    return std::visit([&](auto& one) { return one.on_completion(completion, context); }, either_);
  }
  bool on_data_completion(ConsumerNetwork::Completion& completion, ConsumerContext& context) {
    return std::visit([&](auto& one) { return one.on_data_completion(completion, context); }, either_);
  }
  void on_unavailable(ProcessId server, ConsumerContext& context) {
    std::visit([&](auto& one) { one.on_unavailable(server, context); }, either_);
  }
  void background(ConsumerContext& context) {
    std::visit([&](auto& one) { one.background(context); }, either_);
  }
  LocalTime next_wakeup(const ConsumerContext& context) const {
    return std::visit([&](const auto& one) { return one.next_wakeup(context); }, either_);
  }
  void leave(ConsumerContext& context) {
    std::visit([&](auto& one) { one.leave(context); }, either_);
  }
  std::vector<RebalanceEvent> take_rebalance_events() {
    return std::visit([](auto& one) { return one.take_rebalance_events(); }, either_);
  }
  // Or member epoch.
  Generation generation() const {
    return std::visit([](const auto& one) { return one.generation(); }, either_);
  }
  const std::string& member_id() const {
    return std::visit([](const auto& one) -> const std::string& { return one.member_id(); }, either_);
  }
  // groupMetadata()
  Generation joined_generation() const {
    return std::visit([](const auto& one) { return one.joined_generation(); }, either_);
  }
  const std::string& joined_member_id() const {
    return std::visit([](const auto& one) -> const std::string& { return one.joined_member_id(); }, either_);
  }
  ProcessId coordinator() const {
    return std::visit([](const auto& one) { return one.coordinator(); }, either_);
  }

 private:
  std::variant<ConsumerCoordinator, ConsumerMembership> either_;
};

}  // namespace sim::client
