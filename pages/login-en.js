// The words of the log-in in English.
export default {
  "login.token": "Admin token",
  "login.where": "It stands in the file that trunkline.toml names as admin.token_file.",
  "login.wrong": "This is not the token.",
  "login.slow": "Too many wrong tokens. Wait a minute.",
  "login.server": "SERVER",
  "login.reach": "How to open this page from another computer",
  "login.reach_why": "The page can be seen from the server itself only. An SSH tunnel leads to it from your desk and encrypts everything on the way.",
  "login.windows": "On Windows type this in PowerShell or the command prompt: an SSH client is there already.",
  "login.putty": "Connection → SSH → Tunnels: Source port {port}, Destination 127.0.0.1:8460, Add; then Session → Open.",
  "login.then": "While that window is open, the page is at http://127.0.0.1:{port}/",
};
