// SPDX-License-Identifier: MIT
#include "engine/guest/files.h"

#include "engine/guest/fileworker.h"

#include <csignal>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace isol8::guest {

namespace {

/// One frame as it goes over a worker's socket.
unsigned char packet[headerBytes + maxPayloadBytes];

} // namespace

bool Files::start(const Header& header, const unsigned char* payload)
{
    if (find(header.id))
        return false;
    Operation* operation = freeOperation();
    if (!operation) {
        answer(header.id, EBUSY);
        return true;
    }
    const int error = operation->socket.isOpen() ? 0 : startWorker(*operation);
    if (error != 0) {
        answer(header.id, error);
        return true;
    }
    operation->isOpen = true;
    operation->id = header.id;
    operation->credit = fileWindowBytes;
    operation->begin = operation->end = 0;
    operation->isEnding = false;
    if (!sendToWorker(*operation, header.type, payload, header.length))
        finish(*operation, EINTR);
    return true;
}

bool Files::data(std::uint32_t id, const unsigned char* bytes, std::size_t size)
{
    Operation* operation = find(id);
    if (!operation || operation->isEnding)
        return true;
    if (operation->end + size > sizeof operation->content) {
        std::memmove(operation->content, operation->content + operation->begin,
            operation->end - operation->begin);
        operation->end -= operation->begin;
        operation->begin = 0;
    }
    if (operation->end + size > sizeof operation->content)
        return false; // more than the window
    std::memcpy(operation->content + operation->end, bytes, size);
    operation->end += size;
    feed(*operation);
    return true;
}

void Files::dataEnd(std::uint32_t id)
{
    if (Operation* operation = find(id)) {
        operation->isEnding = true;
        feed(*operation);
    }
}

bool Files::credit(std::uint32_t id, std::uint32_t bytes)
{
    Operation* operation = find(id);
    if (!operation)
        return true;
    if (bytes > fileWindowBytes - operation->credit)
        return false;
    operation->credit += bytes;
    return true;
}

void Files::abort(std::uint32_t id)
{
    Operation* operation = find(id);
    if (!operation)
        return;
    if (!operation->worker.hasEnded)
        ::kill(operation->worker.pid, SIGKILL);
    dismiss(*operation);
    finish(*operation, ECANCELED);
}

Files::Progress Files::progressOf(std::uint32_t id) const
{
    for (const auto& operation : m_operations) {
        if (operation.isOpen && operation.id == id)
            return Progress::Pending;
    }
    for (const std::uint32_t failed : m_failedIds) {
        if (failed == id)
            return Progress::Failed;
    }
    return Progress::Done;
}

void Files::dismissIdle()
{
    for (auto& operation : m_operations) {
        if (operation.isOpen || !operation.socket.isOpen())
            continue;
        const bool isThere = !operation.worker.hasEnded;
        const pid_t pid = operation.worker.pid;
        dismiss(operation);
        // A program never sees it, not even dying.
        if (isThere && kill(pid, SIGKILL) == 0)
            waitpid(pid, nullptr, __WALL);
    }
}

void Files::reset()
{
    for (auto& operation : m_operations) {
        dismiss(operation);
        operation.isOpen = false;
    }
    std::memset(m_failedIds, 0, sizeof m_failedIds);
}

void Files::cancelAll()
{
    for (auto& operation : m_operations) {
        dismiss(operation);
        if (operation.isOpen)
            finish(operation, EINTR);
    }
}

void Files::addTo(PollSet& set)
{
    for (auto& operation : m_operations) {
        operation.pollIndex = -1;
        if (!operation.isOpen)
            continue;
        int events = 0;
        if (operation.credit >= maxPayloadBytes && m_host.hasRoomForData())
            events |= POLLIN;
        if (operation.end > operation.begin || operation.isEnding)
            events |= POLLOUT;
        operation.pollIndex = set.add(operation.socket, events);
    }
}

void Files::serve(const PollSet& set)
{
    for (auto& operation : m_operations) {
        const int events = set.events(operation.pollIndex);
        if (events & POLLOUT)
            feed(operation);
        if (events & (POLLIN | POLLHUP | POLLERR))
            passOn(operation);
    }
}

Files::Operation* Files::find(std::uint32_t id)
{
    for (auto& operation : m_operations) {
        if (operation.isOpen && operation.id == id)
            return &operation;
    }
    return nullptr;
}

/// One with a waiting worker rather than one without.
Files::Operation* Files::freeOperation()
{
    Operation* found = nullptr;
    for (auto& operation : m_operations) {
        if (operation.isOpen)
            continue;
        if (operation.socket.isOpen() && operation.worker.hasEnded)
            dismiss(operation);
        if (!found || operation.socket.isOpen())
            found = &operation;
    }
    return found;
}

int Files::startWorker(Operation& operation)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return errno;
    Descriptor ours(ends[0]);
    const Descriptor theirs(ends[1]);
    const pid_t pid = fork();
    if (pid < 0)
        return errno;
    if (pid == 0) {
        // Nothing of process 1 but this socket.
        if (dup2(theirs.fd(), 0) != 0 || syscall(SYS_close_range, 1, ~0U, 0) != 0) {
            for (int fd = 1; fd < 1024; ++fd)
                close(fd);
        }
        serveFiles(0);
    }
    operation.worker.pid = pid;
    m_processes.watch(operation.worker);
    operation.socket = static_cast<Descriptor&&>(ours);
    return 0;
}

void Files::dismiss(Operation& operation)
{
    m_processes.forget(operation.worker);
    operation.socket.close(); // which ends the worker
}

void Files::feed(Operation& operation)
{
    while (operation.end > operation.begin) {
        const std::size_t left = operation.end - operation.begin;
        const std::size_t size = left < maxPayloadBytes ? left : maxPayloadBytes;
        if (!sendToWorker(operation, Type::FileData, operation.content + operation.begin, size))
            return;
        operation.begin += size;
        unsigned char payload[4];
        storeU32(payload, static_cast<std::uint32_t>(size));
        m_host.control(Type::Credit, operation.id, payload, sizeof payload, Stream::File);
    }
    operation.begin = operation.end = 0;
    if (operation.isEnding && sendToWorker(operation, Type::FileEnd, nullptr, 0))
        operation.isEnding = false;
}

/// False: not now. A worker that is gone is found out when its answer is read.
bool Files::sendToWorker(
    Operation& operation, Type type, const unsigned char* payload, std::size_t size)
{
    unsigned char header[headerBytes];
    encodeHeader(header, { type, Stream::None, operation.id, static_cast<std::uint32_t>(size) });
    iovec parts[2] = { { header, sizeof header }, { const_cast<unsigned char*>(payload), size } };
    msghdr message {};
    message.msg_iov = parts;
    message.msg_iovlen = size > 0 ? 2 : 1;
    return sendmsg(operation.socket.fd(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

/// Takes one round of the worker's frames; only those it can have, however it was treated.
void Files::passOn(Operation& operation)
{
    while (operation.isOpen && operation.credit >= maxPayloadBytes && m_host.hasRoomForData()) {
        const ssize_t size = recv(operation.socket.fd(), packet, sizeof packet, MSG_DONTWAIT);
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (size < static_cast<ssize_t>(headerBytes) || loadU32(packet + 4) != operation.id) {
            dismiss(operation);
            finish(operation, EINTR);
            return;
        }
        const auto type = static_cast<Type>(packet[0]);
        const std::size_t length = static_cast<std::size_t>(size) - headerBytes;
        const unsigned char* payload = packet + headerBytes;
        if (type == Type::Done) {
            finish(operation, length == 4 ? static_cast<int>(loadU32(payload)) : EPROTO);
        } else if (type == Type::FileData) {
            operation.credit -= static_cast<std::uint32_t>(length);
            m_host.control(type, operation.id, payload, length);
        } else if (type == Type::FileStat || type == Type::FileEntry) {
            m_host.control(type, operation.id, payload, length);
        }
    }
}

void Files::finish(Operation& operation, int error)
{
    operation.isOpen = false;
    operation.begin = operation.end = 0;
    operation.isEnding = false;
    answer(operation.id, error);
}

void Files::answer(std::uint32_t id, int error)
{
    if (error != 0) {
        m_failedIds[m_nextFailed] = id;
        m_nextFailed = (m_nextFailed + 1) % maxFileOperations;
    }
    m_host.verdict(Type::Done, id, error, "");
}

} // namespace isol8::guest
