// SPDX-License-Identifier: MIT
#pragma once

#include <QtGlobal>

namespace isol8::ui {

/// While one lives, the heap's growth for a large text is made of large pages where the system has
/// them (`madvise` of transparent huge pages): a document grows in arrays of dozens of megabytes,
/// and where a page fault is dear, as in a virtual machine, the faults take as long as all the rest
/// of loading it. Takes address space only, and gives back what was not needed when the last one
/// goes. To be used in the main thread only.
class LargePages {
public:
    /// @p textBytes: as a file. A small one needs none.
    explicit LargePages(qint64 textBytes);
    ~LargePages();
    Q_DISABLE_COPY_MOVE(LargePages)

private:
    bool m_isUsed;
};

} // namespace isol8::ui
