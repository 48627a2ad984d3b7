#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "check/violation.h"
#include "observe/observation.h"

// What must hold of groups of KIP-848, by what their coordinator writes about their members
// (observe::MemberAssignmentChanged). What a member believes is another matter: one that was fenced and does
// not know it yet still handles what it had.
//
//   one-owner-per-partition   no two members of a group own a partition at once
//   member-epoch-bounded      no member's epoch is above its group's
//
// Each coordinator is judged by itself: a former one that has not noticed may go on as it was.
namespace sim::check {

class GroupInvariants final : public observe::Observer {
 public:
  void on(const observe::Observation& seen) override;

  // What is told from here on happened in this observation.
  void at(const observe::Observation& seen) {
    violations_.at(seen);
    process_ = seen.process;
  }
  void on(const observe::MemberAssignmentChanged& fact);
  void on(const observe::GroupStateChanged& fact);  // a coordinator that lets go of a group forgets it

  const std::vector<Violation>& violations() const { return violations_.all(); }

 private:
  using Group = std::pair<ProcessId, std::string>;
  struct Owned {
    std::map<TopicPartition, std::string> owners;
    std::map<std::string, std::vector<TopicPartition>> by_member;
  };
  ProcessId process_ = kNoProcess;
  std::map<Group, Owned> groups_;
  Violations violations_;
};

}  // namespace sim::check
