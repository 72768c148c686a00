-- The environment of scripts in macros: made of what the engine gives (`host`) and of what is safe of Lua's own.
-- Functions of the engine give `true, results…` or `false, message`: an error is raised here, as a string, as rpm does.
local host = ...

local raw_error, raw_select, raw_type, raw_tostring = error, select, type, tostring
local raw_pcall, raw_load, raw_setmetatable = pcall, load, setmetatable
local raw_resume, raw_create = coroutine.resume, coroutine.create
local raw_pack, raw_unpack = table.pack, table.unpack

local function results(ok, ...)
    if ok then return ... end
    raw_error((...), 0)
end

local function wrap(name)
    local call = host[name]
    return function(...) return results(call(...)) end
end

local function refuse(name)
    return function() raw_error(name .. " is not available: macros cannot reach the machine", 2) end
end

local function refuse_all(prefix, names)
    local refused = {}
    for name in names:gmatch("%S+") do refused[name] = refuse(prefix .. "." .. name) end
    return refused
end

-- A script that has used up its instructions must not catch the error that says so. Lua counts no instructions in
-- handlers of errors that come from counting, in finalisers, and in what closes a coroutine: so `xpcall` handles errors
-- when they have come out, and there is nothing of the others.
local exhausted = host.exhausted
local function past_limit(...)
    if exhausted() then raw_error("the script runs too long", 0) end
    return ...
end
local function handled(handler, ok, ...)
    if ok then return true, ... end
    return false, handler(...)
end
pcall = function(...) return past_limit(raw_pcall(...)) end
xpcall = function(f, handler, ...) return handled(handler, past_limit(raw_pcall(f, ...))) end
coroutine.resume = function(...) return past_limit(raw_resume(...)) end
coroutine.wrap = function(f)
    local thread = raw_create(f)
    return function(...) return results(past_limit(raw_resume(thread, ...))) end
end
coroutine.close = nil
setmetatable = function(value, metatable)
    if raw_type(metatable) == "table" and rawget(metatable, "__gc") ~= nil then
        raw_error("finalisers are not available in macros", 2)
    end
    return raw_setmetatable(value, metatable)
end

-- Precompiled chunks are not checked by Lua: text only.
load = function(chunk, name, _, ...)
    if raw_select("#", ...) > 0 then return raw_load(chunk, name, "t", (...)) end
    return raw_load(chunk, name, "t")
end
loadstring, dofile, loadfile, collectgarbage = nil, nil, nil, nil

function print(...)
    local words = raw_pack(...)
    for i = 1, words.n do words[i] = raw_tostring(words[i]) end
    results(host.print(raw_unpack(words, 1, words.n)))
end

-- rpm

local version = {}
local function is_version(value) return raw_type(value) == "table" and getmetatable(value) == version end
local function new_version(epoch, number, release)
    return raw_setmetatable({ parts = { e = epoch, v = number, r = release } }, version)
end
version.__index = function(self, key)
    if key ~= "e" and key ~= "v" and key ~= "r" then raw_error("invalid attribute: " .. raw_tostring(key), 2) end
    return rawget(self, "parts")[key]
end
version.__newindex = function() raw_error("a version cannot be changed", 2) end
version.__tostring = function(self)
    local parts = rawget(self, "parts")
    local text = parts.v
    if parts.e then text = parts.e .. ":" .. text end
    if parts.r then text = text .. "-" .. parts.r end
    return text
end
local function compare(a, b) return results(host.vercmp(raw_tostring(a), raw_tostring(b))) end
version.__eq = function(a, b) return compare(a, b) == 0 end
version.__lt = function(a, b) return compare(a, b) < 0 end
version.__le = function(a, b) return compare(a, b) <= 0 end

local function file_object(content)
    local file, at = {}, 1
    local function line(keep)
        if at > #content then return nil end
        local stop = content:find("\n", at, true)
        local text = content:sub(at, stop and (keep and stop or stop - 1) or #content)
        at = (stop or #content) + 1
        return text
    end
    local function one(format)
        if raw_type(format) == "number" then
            if format > 0 and at > #content then return nil end
            local text = content:sub(at, at + format - 1)
            at = at + #text
            return text
        end
        format = format:gsub("^%*", ""):sub(1, 1)
        if format == "a" then
            local text = content:sub(at)
            at = #content + 1
            return text
        elseif format == "n" then
            local from, to = content:find("^%s*[-+]?[%w.]+", at)
            if not from then return nil end
            at = to + 1
            return tonumber(content:sub(from, to))
        end
        return line(format == "L")
    end
    function file:read(...)
        if raw_select("#", ...) == 0 then return line(false) end
        local formats, read = raw_pack(...), {}
        for i = 1, formats.n do read[i] = one(formats[i]) end
        return raw_unpack(read, 1, formats.n)
    end
    function file:lines(format) return function() return one(format or "l") end end
    function file:close() return true end
    function file:seek(whence, offset)
        local from = ({ set = 0, cur = at - 1, ["end"] = #content })[whence or "cur"]
        at = from + (offset or 0) + 1
        return at - 1
    end
    file.write = refuse("writing to a file")
    file.flush = function() return true end
    return file
end

rpm = refuse_all("rpm", "call execute interactive next_file redirect2null register spawn unregister")
for name in ("b64decode b64encode define expand isdefined load splitargs undefine unsplitargs vercmp"):gmatch("%S+") do
    rpm[name] = wrap(name)
end
function rpm.ver(...)
    local count = raw_select("#", ...)
    if count == 1 then
        local parts = host.parse_version(raw_tostring((...)))
        if parts then return new_version(parts[1] or nil, parts[2], parts[3] or nil) end
        return
    elseif count == 3 then
        local epoch, number, release = ...
        if number == nil then return end
        local function text(value) return value ~= nil and raw_tostring(value) or nil end
        return new_version(text(epoch), text(number), text(release))
    end
    raw_error("invalid number of arguments: " .. count, 2)
end
function rpm.open(path, mode)
    if mode and mode:find("[wa+]") then raw_error("writing to a file is not available: macros cannot reach the machine", 2) end
    local ok, content = host.read(path)
    if not ok then raw_error(path .. " open failed: " .. content, 2) end
    local file = file_object(content)
    local read = file.read
    function file:read(length) return read(self, length or "a") or "" end
    function file:reopen() return self end
    return file
end

macros = raw_setmetatable({}, {
    __index = function(_, name)
        name = raw_tostring(name)
        local defined, parametric = results(host.isdefined(name))
        if not defined then return nil end
        if not parametric then return results(host.expand("%{" .. name .. "}")) end
        return function(...)
            local argument = ...
            if raw_select("#", ...) > 1 then raw_error("too many arguments", 2) end
            if raw_type(argument) == "table" then return results(host.call(name, argument)) end
            if raw_type(argument) ~= "string" and raw_type(argument) ~= "number" then
                raw_error("bad argument #1 to '" .. name .. "' (string or table expected)", 2)
            end
            return results(host.expand("%{" .. name .. " " .. argument .. "}"))
        end
    end,
    __newindex = function(_, name, body)
        if body == nil then
            results(host.undefine(name))
        elseif not (host.define(name .. " " .. body)) then
            raw_error("error defining macro " .. name, 2)
        end
    end,
})

-- posix, os, io: what needs no machine, and files as the engine is given them

posix = refuse_all("posix", "chdir chmod chown ctermid exec fork getcwd getgroup getlogin getpasswd getprocessid kill "
    .. "link mkdir mkfifo mkstemp pathconf readlink redirect2null rmdir setgid setuid sleep stat symlink sysconf times "
    .. "ttyname umask unlink utime wait")
posix.version = "lazuli"
posix.getenv, posix.unsetenv, posix.uname = wrap("getenv"), wrap("unsetenv"), wrap("uname")
function posix.errno() return "Success", 0 end
function posix.access(path) return host.exists(path) and 0 or nil, path .. ": No such file or directory", 2 end
function posix.setenv(name, value, overwrite)
    if overwrite or results(host.getenv(name)) == nil then results(host.setenv(name, value)) end
    return 0
end
function posix.putenv(assignment)
    local name, value = assignment:match("^([^=]+)=(.*)$")
    if name then results(host.setenv(name, value)) end
    return 0
end
function posix.dir(path) return results(host.entries(path or ".")) end
function posix.files(path)
    local entries, at = posix.dir(path), 0
    return function()
        at = at + 1
        return entries[at]
    end
end

os = refuse_all("os", "clock execute remove rename setlocale tmpname")
os.exit = function() raw_error("exit not permitted in this context", 2) end
os.getenv, os.time, os.date = wrap("getenv"), wrap("time"), wrap("date")
function os.difftime(a, b) return a - b end

io = refuse_all("io", "input output popen read tmpfile write")
function io.open(path, mode)
    if mode and mode:find("[wa+]") then return nil, path .. ": Permission denied", 13 end
    local ok, content = host.read(path)
    if not ok then return nil, path .. ": " .. content, 2 end
    return file_object(content)
end
function io.lines(path, format)
    local file, message = io.open(path)
    if not file then raw_error(message, 2) end
    return file:lines(format)
end
function io.type(value) return raw_type(value) == "table" and value.lines and "file" or nil end
io.stderr = { write = function(self, ...) host.warn(table.concat({ ... })) return self end }
io.stdout = { write = function(self, ...) host.echo(table.concat({ ... })) return self end }

-- modules, by the files that the engine is given

package = { path = host.module_path, cpath = "", loaded = {}, preload = {}, config = "/\n;\n?\n!\n-\n" }
for _, name in ipairs({ "coroutine", "io", "math", "os", "posix", "rpm", "string", "table", "utf8", "package" }) do
    package.loaded[name] = _G[name]
end
package.loaded._G = _G
function require(name)
    local loaded = package.loaded[name]
    if loaded ~= nil then return loaded end
    local loader, origin = package.preload[name], ":preload:"
    local tried = {}
    if not loader then
        for template in package.path:gmatch("[^;]+") do
            local path = template:gsub("%?", (name:gsub("%.", "/")))
            local ok, content = host.read(path)
            if ok then
                local chunk, message = load(content, "@" .. path)
                if not chunk then raw_error("error loading module '" .. name .. "': " .. message, 2) end
                loader, origin = chunk, path
                break
            end
            tried[#tried + 1] = "\n\tno file '" .. path .. "'"
        end
    end
    if not loader then raw_error("module '" .. name .. "' not found:" .. table.concat(tried), 2) end
    local value = loader(name, origin)
    if value ~= nil then package.loaded[name] = value end
    if package.loaded[name] == nil then package.loaded[name] = true end
    return package.loaded[name], origin
end
