// The words of the log-in in Russian.
export default {
  "login.token": "Ключ администратора",
  "login.where": "Он лежит в файле admin.token_file из trunkline.toml.",
  "login.wrong": "Это не тот ключ.",
  "login.slow": "Слишком много неверных ключей. Подождите минуту.",
  "login.server": "СЕРВЕР",
  "login.reach": "Как открыть эту страницу с другого компьютера",
  "login.reach_why": "Страница видна только с самого сервера. С рабочего места к ней ведёт туннель SSH; он же шифрует всё, что по нему идёт.",
  "login.windows": "В Windows наберите это в PowerShell или в командной строке: клиент SSH там уже есть.",
  "login.putty": "Connection → SSH → Tunnels: Source port {port}, Destination 127.0.0.1:8460, Add; затем Session → Open.",
  "login.then": "Пока окно открыто, страница доступна по адресу http://127.0.0.1:{port}/",
};
